// Entries as text: every number has its name, nothing recorded commands a terminal, and exports are valid JSON.
#include "record/entry_text.hpp"

#include "base/json.hpp"
#include "record/assemble.hpp"
#include "record/names.hpp"
#include "record/ocsf.hpp"
#include "record/scan.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAlice = (std::uint64_t{0x67750000} << 32) | 100;

// "kStatementNo" → "statement_no".
std::string snake(const std::string& constant) {
    std::string out;
    for (const char letter : constant.substr(1)) {
        if (letter >= 'A' && letter <= 'Z') {
            if (!out.empty()) out += '_';
            out += static_cast<char>(letter - 'A' + 'a');
        } else {
            out += letter;
        }
    }
    return out;
}

// The constants of an enumeration, as format.hpp spells them.
std::vector<std::pair<std::string, std::uint64_t>> constants(const std::string& enumeration) {
    std::stringstream source;
    source << std::ifstream(std::string(TEST_DATA) + "/../src/record/format.hpp").rdbuf();
    const std::string text = source.str();
    const std::size_t start = text.find("enum " + enumeration);
    EXPECT_NE(start, std::string::npos);
    const std::string body = text.substr(start, text.find("};", start) - start);
    std::vector<std::pair<std::string, std::uint64_t>> out;
    const std::regex constant("(k[A-Za-z]+) = ([0-9]+)( << ([0-9]+))?");
    for (std::sregex_iterator at(body.begin(), body.end(), constant); at != std::sregex_iterator(); ++at)
        out.emplace_back((*at)[1], std::stoull((*at)[(*at)[4].matched ? 4 : 2]));
    return out;
}

TEST(Names, EveryConstantHasItsOwn) {
    const auto types = constants("class EntryType");
    const auto fields = constants("class Field");
    const auto flags = constants("EntryFlag");
    ASSERT_GE(types.size(), 22u);
    ASSERT_GE(fields.size(), 67u);
    ASSERT_GE(flags.size(), 8u);
    for (const auto& [constant, number] : types) {
        EXPECT_EQ(type_name(static_cast<EntryType>(number)), snake(constant));
        EXPECT_EQ(parse_type(snake(constant)), static_cast<EntryType>(number));
    }
    for (const auto& [constant, number] : fields) EXPECT_EQ(field_name(number), snake(constant));
    for (const auto& [constant, bit] : flags) {
        auto flag = static_cast<std::uint16_t>(1u << bit);
        EXPECT_EQ("flag_" + take_flag_name(flag), snake(constant));
        EXPECT_EQ(flag, 0);
    }
    EXPECT_EQ(type_name(static_cast<EntryType>(200)), "type_200");
    EXPECT_EQ(field_name(9999), "field_9999");
    EXPECT_EQ(parse_type("type_200"), kUnknownType);
}

struct Written {
    base::Bytes bytes;
    EntryView view() const { return EntryView(bytes.data()); }
};

Written written(const EntryHead& head, const SampleJournal::Fill& fill) {
    Written out;
    EntryWriter writer(out.bytes, head);
    fill(writer);
    EXPECT_GT(writer.finish(1), 0u);
    seal_at(out.bytes.data(), writer.partial_crc(), 77);
    return out;
}

Written hostile() {
    return written({.type = EntryType::kStatement,
                    .flags = kFlagNested | kFlagUtility | 1 << 14,
                    .time = 1767225600'123456789,
                    .session = kAlice,
                    .session_sequence = 3},
                   [](EntryWriter& writer) {
                       writer.add_uint(Field::kStatementNo, 4);
                       writer.add_text(Field::kStatement, "SELECT '\x1B[2J\r\n\"\\'");
                       writer.add_int(Field::kQueryId, INT64_MIN);
                       CborWriter& cbor = writer.add_array(Field::kParameters, 2);
                       cbor.array(2);
                       cbor.unsigned_number(25);
                       cbor.text("\xE9t\xE9");
                       cbor.array(2);
                       cbor.unsigned_number(23);
                       cbor.null();
                       writer.add_uint(Field::kDuration, 1'500'000);
                       writer.add_text(Field::kError, "a b");
                       writer.add_uint(Field::kTransactionOutcome, 2);
                       writer.add_uint(Field::kDecision, 3);
                       writer.add_bool(Field::kEnforced, true);
                       writer.add_uint(static_cast<Field>(200), 5);
                   });
}

TEST(EntryText, AsJson) {
    const Written entry = hostile();
    EXPECT_EQ(entry_json(entry.view(), 9, "ab"),
              "{\"origin\": \"ab\", \"entry\": 9, \"position\": 77, \"time\": \"2026-01-01T00:00:00.123456789Z\", "
              "\"type\": \"statement\", \"flags\": [\"nested\", \"utility\", \"flag_14\"], \"session\": "
              "\"67750000.64\", "
              "\"session_sequence\": 3, \"database_oid\": 0, \"login_role_oid\": 0, \"effective_role_oid\": 0, "
              "\"statement_no\": 4, \"statement\": \"SELECT '\\u001b[2J\\r\\n\\\"\\\\'\", "
              "\"query_id\": -9223372036854775808, \"parameters\": [[25, {\"hex\": \"e974e9\"}], [23, null]], "
              "\"duration\": 1500000, \"error\": \"a b\", \"transaction_outcome\": \"rolled back\", "
              "\"decision\": \"block\", \"enforced\": true, \"field_200\": 5}");
}

TEST(EntryText, AsALine) {
    const Written entry = hostile();
    EXPECT_EQ(
        entry_line(entry.view(), 9),
        "2026-01-01T00:00:00.123456Z        9  67750000.64       statement       [nested utility flag_14] "
        "statement_no=4 query_id=-9223372036854775808 parameters=[[25, {\"hex\": \"e974e9\"}], [23, null]] "
        "duration=1.500 ms error=\"a b\" transaction_outcome=\"rolled back\" decision=\"block\" enforced=true "
        "field_200=5 SELECT '\\x1b[2J\\r\\n\"\\\\'");
}

TEST(EntryText, DurationsHaveTheUnitThatFits) {
    EXPECT_EQ(duration_text(900), "0.9 us");
    EXPECT_EQ(duration_text(1'500'000), "1.500 ms");
    EXPECT_EQ(duration_text(61'500'000'000), "61.500 s");
}

class OcsfTest : public ::testing::Test {
 protected:
    OcsfTest() {
        const auto login = [](EntryWriter& writer) {
            writer.add_text(Field::kLoginRole, "app");
            writer.add_text(Field::kDatabaseName, "shop");
            writer.add_text(Field::kActor, "alice");
            writer.add_text(Field::kClientAddress, "10.0.0.1");
            writer.add_text(Field::kClientPort, "5123");
        };
        journal.append(EntryType::kLogin, kAlice, login);
        context = journal.position();
        journal.append(EntryType::kSession, kAlice, login);
    }

    void statement(std::uint64_t number, std::string_view text, std::string_view class_name,
                   std::uint16_t flags = 0) {
        journal.append(
            EntryType::kStatement, kAlice,
            [&](EntryWriter& writer) {
                writer.add_uint(Field::kStatementNo, number);
                writer.add_uint(Field::kContext, context);
                writer.add_text(Field::kStatement, text);
                const std::string_view classes[] = {class_name};
                writer.add_texts(Field::kClasses, classes);
            },
            flags);
    }
    void outcome(std::uint64_t number, std::string_view sqlstate) {
        journal.append(EntryType::kOutcome, kAlice, [&](EntryWriter& writer) {
            writer.add_uint(Field::kStatementNo, number);
            writer.add_uint(Field::kRows, 2);
            writer.add_uint(Field::kDuration, 7'000'000);
            if (!sqlstate.empty()) writer.add_text(Field::kSqlstate, sqlstate);
        });
    }
    std::vector<base::Json> events() {
        std::vector<base::Json> out;
        auto reader = StreamReader::open(journal.directory());
        OcsfExport ocsf(**reader, "origin", [&](const std::string& event) {
            auto json = base::Json::parse(event);
            EXPECT_TRUE(json) << event;
            if (json) out.push_back(std::move(*json));
        });
        Scan scan(**reader, {});
        while (scan.next() == Step::kEntry) ocsf.add(scan.found().entry, scan.found().index);
        ocsf.finish();
        return out;
    }
    static std::uint64_t number(const base::Json& event, std::string_view name) {
        const base::Json* const member = event.member(name);
        EXPECT_TRUE(member != nullptr && member->number() != nullptr) << name;
        return member != nullptr && member->number() != nullptr ? *member->number() : 999999;
    }

    SampleJournal journal;
    std::uint64_t context = 0;
};

TEST_F(OcsfTest, AStatementAndItsOutcomeAreOneEvent) {
    statement(1, "SELECT 1", "read");
    outcome(1, "");
    const auto all = events();
    ASSERT_EQ(all.size(), 2u);
    const base::Json& event = all[1];
    EXPECT_EQ(number(event, "class_uid"), 6005u);
    EXPECT_EQ(number(event, "type_uid"), 600504u);
    EXPECT_EQ(number(event, "activity_id"), 4u);
    EXPECT_EQ(number(event, "status_id"), 1u);
    EXPECT_EQ(number(event, "duration"), 7u);
    EXPECT_EQ(*event.member("actor")->member("user")->member("name")->text(), "alice");
    EXPECT_EQ(*event.member("src_endpoint")->member("ip")->text(), "10.0.0.1");
    EXPECT_EQ(*event.member("database")->member("name")->text(), "shop");
    EXPECT_EQ(*event.member("query_info")->member("query_string")->text(), "SELECT 1");
    EXPECT_EQ(number(*event.member("unmapped"), "rows"), 2u);
}

TEST_F(OcsfTest, AWholeStatementIsOneEventAtOnce) {
    journal.append(
        EntryType::kStatement, kAlice,
        [&](EntryWriter& writer) {
            writer.add_uint(Field::kStatementNo, 1);
            writer.add_uint(Field::kContext, context);
            writer.add_text(Field::kStatement, "SELECT 1");
            writer.add_uint(Field::kRows, 2);
            writer.add_uint(Field::kDuration, 7'000'000);
        },
        kFlagWhole);
    const auto all = events();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(number(all[1], "status_id"), 1u);
    EXPECT_EQ(number(all[1], "duration"), 7u);
    EXPECT_EQ(number(all[1], "end_time"), number(all[1], "start_time") + 7);
    EXPECT_EQ(number(*all[1].member("unmapped"), "rows"), 2u);
}

TEST_F(OcsfTest, LoginsAreAuthentication) {
    journal.append(EntryType::kLogout, kAlice);
    journal.append(EntryType::kLoginFailed, kAlice + 1, [](EntryWriter& writer) {
        writer.add_text(Field::kSqlstate, "28P01");
        writer.add_text(Field::kLoginRole, "mallory");
    });
    const auto all = events();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(number(all[0], "type_uid"), 300201u);
    EXPECT_EQ(number(all[0], "status_id"), 1u);
    EXPECT_EQ(number(all[1], "type_uid"), 300202u);
    EXPECT_EQ(*all[1].member("user")->member("name")->text(), "alice");
    EXPECT_EQ(number(all[2], "status_id"), 2u);
    EXPECT_EQ(*all[2].member("user")->member("name")->text(), "mallory");
}

TEST_F(OcsfTest, RefusedFailedAndUnendedAreTold) {
    statement(1, "DROP TABLE t", "ddl.drop.table", kFlagRefused);
    statement(2, "UPDATE t SET a = 1", "write.update");
    statement(3, "VACUUM", "maintenance");
    outcome(2, "22012");
    const auto all = events();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(number(all[1], "activity_id"), 7u);
    EXPECT_EQ(number(all[1], "action_id"), 2u);
    EXPECT_EQ(number(all[1], "status_id"), 2u);
    EXPECT_EQ(number(all[2], "activity_id"), 2u);
    EXPECT_EQ(number(all[2], "status_id"), 2u);
    EXPECT_EQ(*all[2].member("status_code")->text(), "22012");
    EXPECT_EQ(number(all[3], "activity_id"), 99u);
    EXPECT_EQ(number(all[3], "status_id"), 0u);
}

TEST_F(OcsfTest, ALogoutEndsWhatIsOpen) {
    statement(1, "SELECT 1", "read");
    journal.append(EntryType::kLogout, kAlice);
    statement(1, "SELECT 2", "read");
    const auto all = events();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(*all[1].member("query_info")->member("query_string")->text(), "SELECT 1");
    EXPECT_EQ(number(all[2], "class_uid"), 3002u);
}

TEST(Speakers, AreFoundThroughTheContext) {
    SampleJournal journal;
    const std::uint64_t context = journal.position();
    journal.append(EntryType::kSession, kAlice,
                   [](EntryWriter& writer) { writer.add_text(Field::kActor, "alice"); });
    journal.begin_next_segment();
    const std::uint64_t index = journal.append(
        EntryType::kStatement, kAlice, [&](EntryWriter& writer) { writer.add_uint(Field::kContext, context); });
    auto reader = StreamReader::open(journal.directory());
    Speakers speakers(**reader);
    // Asked about the statement alone, as a scan that begins there does.
    const auto found = (*reader)->at_index(index);
    EXPECT_EQ(speakers.of((*found)->entry).name(), "alice");
    const Written stranger = written({.type = EntryType::kOutcome, .session = 7}, [](EntryWriter&) {});
    EXPECT_EQ(speakers.of(stranger.view()).name(), "");
    const Written lost = written({.type = EntryType::kStatement, .session = 8},
                                 [](EntryWriter& writer) { writer.add_uint(Field::kContext, 12345); });
    EXPECT_EQ(speakers.of(lost.view()).name(), "");
}

}  // namespace
}  // namespace hoopguard::record
