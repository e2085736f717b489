// Tallying usage: what counts, what does not, and that readings add up wherever they stop.
#include "review/usage.hpp"
#include "record/scan.hpp"

#include <gtest/gtest.h>

#include <random>

#include "journal_writer.hpp"

namespace hoopguard::review {
namespace {

using classify::Need;
using record::EntryHead;
using record::EntryType;
using record::EntryWriter;
using record::Field;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStart = 1'700'000'000 * kSecond;
constexpr std::uint32_t kViewOwner = 4711;

std::string plain_quote(std::string_view name) {
    bool const plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos;
    return plain ? std::string(name) : "\"" + std::string(name) + "\"";
}

struct Wanted {
    std::string object;
    Need need;
};

// A journal of one origin, written step by step and read in one or many pieces.
class Story {
 public:
    Story()
        : writer_(1, 4000, [this](const std::string& name, base::ByteView bytes) {
              files_[directory()][name].assign(bytes.begin(), bytes.end());
          }) {
        add(EntryType::kOpen, 0, [](EntryWriter&) {});
    }
    static std::string directory() { return record::JournalWriter(1, 1, {}).directory(); }

    void login(std::uint64_t session, std::string_view actor, std::string_view backend = "client backend") {
        auto const describe = [&](EntryWriter& entry) {
            entry.add_text(Field::kLoginRole, actor);
            entry.add_text(Field::kEffectiveRole, actor);
            entry.add_text(Field::kDatabaseName, "shop");
            entry.add_text(Field::kActor, actor);
            entry.add_text(Field::kActorKind, "human");
            entry.add_text(Field::kApplicationName, "psql");
            entry.add_text(Field::kBackendType, backend);
        };
        add(EntryType::kLogin, session, describe);
        contexts_[session] = add(EntryType::kSession, session, describe);
    }
    void begin(std::uint64_t session, std::uint64_t number, const std::vector<Wanted>& objects,
               const std::vector<Wanted>& further = {}, std::uint16_t flags = 0, std::string_view masked = {},
               std::string_view definer = {}) {
        add(
            EntryType::kStatement, session,
            [&](EntryWriter& entry) {
                entry.add_uint(Field::kStatementNo, number);
                entry.add_uint(Field::kContext, contexts_[session]);
                const std::string_view classes[] = {"read"};
                entry.add_texts(Field::kClasses, classes);
                auto& names = entry.add_array(Field::kObjects, objects.size());
                for (auto const& one : objects) names.text(one.object);
                if (!masked.empty()) entry.add_texts(Field::kMasked, {&masked, 1});
                if (!definer.empty()) entry.add_text(Field::kEffectiveRole, definer);
                auto& needs = entry.add_array(Field::kPrivileges, objects.size() + further.size());
                for (auto const& one : objects) needs.unsigned_number(one.need.number());
                for (auto const& one : further) needs.unsigned_number(one.need.number());
                if (further.empty()) return;
                auto& more = entry.add_array(Field::kFurtherObjects, further.size());
                for (auto const& one : further) more.text(one.object);
            },
            flags);
    }
    void end(std::uint64_t session, std::uint64_t number, std::string_view sqlstate = {}) {
        add(EntryType::kOutcome, session, [&](EntryWriter& entry) {
            entry.add_uint(Field::kStatementNo, number);
            if (!sqlstate.empty()) entry.add_text(Field::kSqlstate, sqlstate);
        });
    }
    void logout(std::uint64_t session) {
        add(EntryType::kLogout, session, [](EntryWriter&) {});
    }
    void restart() {
        add(EntryType::kOpen, 0, [](EntryWriter&) {});
    }

    // Everything, at most `most` entries at a time; each piece knows of those before it what the tables keep.
    struct Sum {
        std::map<UseKey, Use> uses;
        std::map<DayKey, Day> days;
        std::map<SourceKey, Source> sources;
        std::vector<std::uint64_t> open;
    };
    Sum read(std::uint64_t most, bool over = false) {
        writer_.seal();
        Sum sum;
        std::uint64_t next = 0;
        for (bool more = true; more;) {
            record::MemoryJournal journal(files_);
            auto reader = record::StreamReader::open(journal, directory());
            EXPECT_TRUE(reader.ok());
            UsageTally tally([](std::uint32_t role) { return role == kViewOwner ? "owner" : ""; }, plain_quote);
            record::Speakers speakers(**reader);
            for (auto const index : sum.open) {
                auto const held = (*reader)->at_index(index);
                EXPECT_TRUE(held.ok() && *held);
                tally.resume((*held)->entry, index, speakers.of((*held)->entry));
            }
            record::Scan scan(**reader, {.first_index = next});
            for (std::uint64_t read = 0; read < most; ++read) {
                more = scan.next() == record::Step::kEntry;
                if (!more) break;
                next = scan.found().index + 1;
                tally.take(scan.found().entry, scan.found().index, speakers.of(scan.found().entry));
            }
            if (!more && over) tally.end_of_origin();
            add_up(tally, sum);
        }
        return sum;
    }

 private:
    template <typename Fill>
    std::uint64_t add(EntryType type, std::uint64_t session, Fill fill, std::uint16_t flags = 0) {
        return writer_.add({.type = type,
                            .flags = flags,
                            .time = kStart + writer_.entries() * kSecond,
                            .session = session,
                            .session_sequence = ++sequences_[session]},
                           fill);
    }
    static void add_up(const UsageTally& tally, Sum& sum) {
        auto const widen = [](Period& period, const Period& other) {
            period.take(other.first);
            period.take(other.last);
        };
        for (auto const& [key, use] : tally.uses()) {
            auto& total = sum.uses[key];
            widen(total.period, use.period);
            total.uses += use.uses;
            total.masked += use.masked;
            total.classes.insert(use.classes.begin(), use.classes.end());
        }
        for (auto const& [key, day] : tally.days()) {
            auto& total = sum.days[key];
            total.statements += day.statements;
            total.refused += day.refused;
            total.masked += day.masked;
        }
        for (auto const& [key, source] : tally.sources()) {
            auto& total = sum.sources[key];
            widen(total.period, source.period);
            total.logins += source.logins;
        }
        sum.open = tally.open();
    }

    std::map<std::string, record::MemoryJournal::Files> files_;
    record::JournalWriter writer_;
    std::map<std::uint64_t, std::uint64_t> contexts_;
    std::map<std::uint64_t, std::uint64_t> sequences_;
};

// "role privilege kind object [through]" → uses.
std::map<std::string, std::uint64_t> shown(const Story::Sum& sum) {
    std::map<std::string, std::uint64_t> out;
    for (auto const& [key, use] : sum.uses) {
        std::string line = key.effective_role + " " + key.privilege + " " + key.object_kind + " " + key.object;
        if (key.through != Through::kNothing) line += " " + std::string(to_text(key.through));
        out[line] += use.uses;
    }
    return out;
}

const std::vector<Wanted> kCustomer = {{"public.customer", Need::on("table", classify::kSelect)}};

TEST(Usage, AStatementThatEndedWellIsUse) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 1, kCustomer, {}, 0, "public.customer.email");
    story.end(1, 1);
    auto const sum = story.read(1000);
    EXPECT_EQ(shown(sum), (std::map<std::string, std::uint64_t>{{"alice CONNECT database shop", 1},
                                                                {"alice SELECT table public.customer", 1},
                                                                {"alice USAGE schema public", 1}}));
    ASSERT_EQ(sum.days.size(), 1u);
    EXPECT_EQ(sum.days.begin()->second.statements, 1u);
    EXPECT_EQ(sum.days.begin()->second.masked, 1u);
    ASSERT_EQ(sum.sources.size(), 1u);
    EXPECT_EQ(sum.sources.begin()->second.logins, 1u);
    for (auto const& [key, use] : sum.uses) EXPECT_EQ(use.masked, key.privilege == "SELECT" ? 1u : 0u);
}

TEST(Usage, AWholeStatementIsUseAtOnce) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 1, kCustomer, {}, record::kFlagWhole);
    auto const sum = story.read(1000);
    EXPECT_TRUE(sum.open.empty());
    EXPECT_EQ(shown(sum)["alice SELECT table public.customer"], 1u);
}

TEST(Usage, WhatWasNotAllowedIsNone) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 1, kCustomer);
    story.end(1, 1, "42501");
    story.begin(1, 2, kCustomer, {}, record::kFlagRefused);
    auto const sum = story.read(1000);
    EXPECT_TRUE(sum.uses.empty());
    ASSERT_EQ(sum.days.size(), 1u);
    EXPECT_EQ(sum.days.begin()->second.refused, 2u);
}

TEST(Usage, AnotherErrorIsUseAsIsALostStatement) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 2, kCustomer);
    story.end(1, 2, "22012");
    story.begin(1, 3, kCustomer);
    EXPECT_EQ(story.read(1000).open.size(), 1u);
    EXPECT_EQ(shown(story.read(1000))["alice SELECT table public.customer"], 1u);
    EXPECT_EQ(shown(story.read(1000, true))["alice SELECT table public.customer"], 2u);
    story.restart();
    EXPECT_TRUE(story.read(1000).open.empty());
    EXPECT_EQ(shown(story.read(1000))["alice SELECT table public.customer"], 2u);
}

TEST(Usage, ViewsAndDefinersUseTheirOwnersPrivileges) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 2,
                {{"public.people", Need::on("view", classify::kSelect)},
                 {"hr.person", Need::on("table", classify::kSelect, kViewOwner)}},
                {{"public.f(integer, hr.grade)", Need::on("function", classify::kExecute)}});
    story.end(1, 2);
    story.begin(1, 3, {{"hr.pay", Need::on("table", classify::kUpdate)}}, {}, record::kFlagNested, {}, "payroll");
    story.end(1, 3);
    EXPECT_EQ(shown(story.read(1000)),
              (std::map<std::string, std::uint64_t>{{"alice SELECT view public.people", 1},
                                                    {"alice EXECUTE function public.f(integer, hr.grade)", 1},
                                                    {"alice USAGE schema public", 1},
                                                    {"owner SELECT table hr.person view", 1},
                                                    {"payroll UPDATE table hr.pay definer", 1},
                                                    {"payroll USAGE schema hr definer", 1}}));
}

TEST(Usage, MakingIsAPrivilegeOnWhereItIsMade) {
    Story story;
    story.login(1, "alice");
    story.begin(1, 2,
                {{"app.Order", Need::on("table", classify::kCreate)},
                 {"pg_temp.t", Need::on("table", classify::kCreate)},
                 {"new", Need::on("schema", classify::kCreate)},
                 {"pg_temp.u", Need::on("table", classify::kSelect)},
                 {"app.Order.old", Need::on("table", classify::kOwnership)}});
    story.end(1, 2);
    EXPECT_EQ(shown(story.read(1000)),
              (std::map<std::string, std::uint64_t>{{"alice CREATE schema app", 1},
                                                    {"alice CREATE database shop", 1},
                                                    {"alice TEMPORARY database shop", 1},
                                                    {"alice OWNERSHIP table app.\"Order.old\"", 1},
                                                    {"alice USAGE schema app", 1}}));
}

TEST(Usage, OfHoopguardsOwnWorkNothingCounts) {
    Story story;
    story.login(1, "postgres", "hoopguard errand");
    story.begin(1, 1, kCustomer);
    story.end(1, 1);
    story.login(2, "alice");
    story.begin(2, 2, {{"hoopguard.usage", Need::on("table", classify::kInsert)}}, {}, record::kFlagNested);
    story.end(2, 2);
    EXPECT_TRUE(shown(story.read(1000)).empty());
}

TEST(Usage, NumbersOfTheFormatStay) {
    auto const need = Need::on("procedure", classify::kExecute, 7);
    EXPECT_EQ(need.number(), std::uint64_t{7} << 32 | 6u << 16 | 1u << 5);
    EXPECT_EQ(Need::of(need.number()).kind_name(), "procedure");
    EXPECT_EQ(Need::on("table", classify::kSelect).number(), 1u);
    EXPECT_EQ(Need::on("nothing known", classify::kSelect).kind, 255);
}

TEST(Usage, SchemasAreReadOutOfQuotedNames) {
    EXPECT_EQ(schema_of("public.t"), "public");
    EXPECT_EQ(schema_of("\"a.b\".t"), "\"a.b\"");
    EXPECT_EQ(schema_of("\"a\"\".b\".\"c.d\""), "\"a\"\".b\"");
    EXPECT_EQ(schema_of("f(a.b)"), "");
    EXPECT_EQ(schema_of("s.f(a.b)"), "s");
}

// Random sessions, read whole and in pieces of every small size.
TEST(Usage, PiecesAddUpToTheWhole) {
    std::mt19937 random(5);
    auto const chance = [&](unsigned sides) { return static_cast<unsigned>(random() % sides); };
    Story story;
    std::map<std::uint64_t, std::vector<std::uint64_t>> open;
    std::map<std::uint64_t, std::uint64_t> last;
    for (unsigned step = 0; step < 600; ++step) {
        std::uint64_t const session = 1 + chance(4) + step / 200 * 10;
        if (!last.contains(session)) {
            story.login(session, session % 2 == 0 ? "alice" : "bob");
            last[session] = 0;
        }
        auto& mine = open[session];
        if (mine.empty() || chance(2) == 0) {
            story.begin(session, ++last[session], kCustomer);
            mine.push_back(last[session]);
        } else {
            auto const at = mine.begin() + chance(static_cast<unsigned>(mine.size()));
            story.end(session, *at, chance(4) == 0 ? "42501" : "");
            mine.erase(at);
        }
        if (chance(150) == 0) {
            story.restart();
            open.clear();
        }
    }
    auto const whole = story.read(UINT64_MAX);
    EXPECT_GT(shown(whole)["alice SELECT table public.customer"], 50u);
    for (std::uint64_t const most : {1, 2, 3, 7, 50, 399}) {
        auto const pieces = story.read(most);
        EXPECT_EQ(pieces.open, whole.open);
        EXPECT_EQ(shown(pieces), shown(whole)) << most;
        ASSERT_EQ(pieces.days.size(), whole.days.size());
        for (auto const& [key, day] : whole.days) {
            EXPECT_EQ(pieces.days.at(key).statements, day.statements);
            EXPECT_EQ(pieces.days.at(key).refused, day.refused);
        }
        for (auto const& [key, use] : whole.uses) {
            EXPECT_EQ(pieces.uses.at(key).period.first, use.period.first);
            EXPECT_EQ(pieces.uses.at(key).period.last, use.period.last);
        }
    }
}

}  // namespace
}  // namespace hoopguard::review
