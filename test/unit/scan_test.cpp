// Reading back: whatever the range, the index and the filter, a scan gives what a reading of everything gives.
#include "base/crc32c.hpp"
#include "base/text.hpp"
#include "record/session_scan.hpp"
#include "record/statement_scan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "journal_writer.hpp"

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStart = 1'700'000'000 * kSecond;

// A few sessions at work at once: implicit transactions, blocks, savepoints, nesting, failures, losses.
class Scene {
 public:
    explicit Scene(std::size_t segment_size, std::uint8_t origin = 1, unsigned steps = 3000)
        : writer(origin, segment_size, [this, origin](const std::string& name, base::ByteView bytes) {
              directories[origin_directory_name(filled(origin))][name].assign(bytes.begin(), bytes.end());
          }) {
        server(EntryType::kOpen);
        for (unsigned step = 0; step < steps; ++step) act();
        writer.seal();
    }

    JournalWriter writer;
    static inline std::map<std::string, MemoryJournal::Files> directories;

 private:
    struct Session {
        std::uint64_t id, context = 0, sequence = 0, statement = 0, block_first = 0;
        bool in_block = false;
    };

    static OriginId filled(std::uint8_t origin) {
        OriginId out;
        out.fill(origin);
        return out;
    }
    unsigned chance(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
    EntryHead head(EntryType type, Session& session) {
        // Times waver, as clocks of several processors and reserved places do.
        return {.type = type,
                .time = kStart + writer.entries() * kSecond / 10 + chance(3) * kSecond / 10,
                .session = session.id,
                .session_sequence = ++session.sequence,
                .login_role = static_cast<std::uint32_t>(session.id % 3 + 10)};
    }
    void server(EntryType type) {
        writer.add({.type = type, .time = kStart, .session_sequence = ++server_sequence_}, [](EntryWriter&) {});
    }
    std::uint64_t statement(Session& session) {
        std::uint64_t const no = ++session.statement;
        writer.add(head(EntryType::kStatement, session), [&](EntryWriter& entry) {
            entry.add_uint(Field::kStatementNo, no);
            entry.add_uint(Field::kContext, session.context);
            entry.add_text(Field::kStatement, "SELECT " + std::to_string(no) + std::string(chance(200), '.'));
        });
        return no;
    }
    void outcome(Session& session, std::uint64_t no, bool ends) {
        bool const failed = chance(8) == 0;
        writer.add(head(EntryType::kOutcome, session), [&](EntryWriter& entry) {
            entry.add_uint(Field::kStatementNo, no);
            if (!failed) entry.add_uint(Field::kRows, no);
            if (failed) entry.add_text(Field::kSqlstate, "22012");
            if (ends) entry.add_uint(Field::kTransactionOutcome, failed ? 2 : 1);
        });
    }
    void end(Session& session, std::uint64_t first, TransactionOutcome outcome, std::uint16_t flags = 0) {
        EntryHead entry_head = head(EntryType::kTransactionEnd, session);
        entry_head.flags = flags;
        writer.add(entry_head, [&](EntryWriter& entry) {
            entry.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(outcome));
            entry.add_uint(Field::kFirstStatementNo, first);
            entry.add_uint(Field::kLastStatementNo, session.statement);
        });
    }
    void act() {
        if (sessions_.size() < 4 || chance(60) == 0) {
            Session session{.id = ((kStart / kSecond) << 32) + ++last_session_};
            writer.add(head(EntryType::kLogin, session), [](EntryWriter&) {});
            session.context = writer.add(head(EntryType::kSession, session), [&](EntryWriter& entry) {
                entry.add_text(Field::kActor, "actor " + std::to_string(session.id % 5));
            });
            sessions_.push_back(session);
            return;
        }
        std::size_t const which = chance(static_cast<unsigned>(sessions_.size()));
        Session& session = sessions_[which];
        switch (chance(12)) {
            case 0:
                if (!session.in_block) session.block_first = session.statement + 1;
                session.in_block = true;
                break;
            case 1:
            case 2:
                if (session.in_block && session.block_first <= session.statement)
                    end(session, session.block_first,
                        chance(2) ? TransactionOutcome::kCommitted : TransactionOutcome::kRolledBack);
                session.in_block = false;
                break;
            case 3:
                if (session.in_block && session.block_first < session.statement)
                    end(session, session.statement, TransactionOutcome::kRolledBack, kFlagSubtransaction);
                break;
            case 4:
                writer.add(head(EntryType::kFailure, session), [&](EntryWriter& entry) {
                    entry.add_uint(Field::kStatementNo, ++session.statement);
                    entry.add_text(Field::kSqlstate, "42601");
                });
                break;
            case 5:
                // Sometimes a session is gone without a word, amid a statement.
                if (chance(4) == 0)
                    statement(session);
                else if (!session.in_block)
                    writer.add(head(EntryType::kLogout, session), [](EntryWriter&) {});
                else
                    break;
                sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(which));
                break;
            case 6: {
                std::uint64_t const outer = statement(session);
                outcome(session, statement(session), false);
                outcome(session, outer, !session.in_block);
                break;
            }
            default: outcome(session, statement(session), !session.in_block);
        }
    }

    std::mt19937_64 random_{7};
    std::vector<Session> sessions_;
    std::uint64_t last_session_ = 0;
    std::uint64_t server_sequence_ = 0;
};

class ScanTest : public testing::Test {
 protected:
    ~ScanTest() override { Scene::directories.clear(); }

    MemoryJournal journal{Scene::directories};

    BackwardScan scan(Selection filter) {
        auto origins = origins_newest_first(journal);
        EXPECT_TRUE(origins);
        return BackwardScan(journal, *origins, std::move(filter), {});
    }

    static std::string text(StatementScan& scan) {
        const StatementRow& row = scan.row();
        std::string const actor(scan.fact(Field::kActor).value_or("?"));
        return scan.origin().substr(0, 2) + " " + std::to_string(row.entry) + " " +
               base::session_text(row.start.session()) + " #" + std::to_string(row.statement_no) + " " +
               std::string(to_text(row.outcome)) + ", " + std::string(to_text(row.transaction)) + ", " +
               std::string(row.sqlstate()) + ", " + std::to_string(row.rows().value_or(0)) + " by " + actor;
    }

    struct Seen {
        std::string text;
        std::uint64_t entry, time, session;
    };
    // Sessions that say no more are gone, as a server's list of processes tells.
    static bool alive(std::uint64_t session) { return session % 7 == 0; }

    std::vector<Seen> statements(Selection filter = {}) {
        StatementScan statements(scan(std::move(filter)), alive);
        std::vector<Seen> seen;
        for (;;) {
            auto const more = statements.next();
            EXPECT_TRUE(more) << more.error().message;
            if (!more || !*more) break;
            const StatementRow& row = statements.row();
            seen.push_back({text(statements), row.entry, row.start.time(), row.start.session()});
        }
        blocks_read = statements.work().blocks_read();
        return seen;
    }
    static std::vector<std::string> texts(const std::vector<Seen>& all,
                                          const std::function<bool(const Seen&)>& wanted) {
        std::vector<std::string> out;
        for (const Seen& one : all)
            if (wanted(one)) out.push_back(one.text);
        return out;
    }
    static std::vector<std::string> texts(const std::vector<Seen>& all) {
        return texts(all, [](const Seen&) { return true; });
    }

    std::uint64_t blocks_read = 0;
};

TEST_F(ScanTest, AReadingOfEverythingMissesNothing) {
    Scene scene(64 << 10);
    auto const all = statements();
    EXPECT_GT(all.size(), 1000u);
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i].entry, all[i - 1].entry);
    std::set<std::string> outcomes;
    for (const Seen& one : all) {
        std::size_t const at = one.text.find(' ', one.text.find('#'));
        outcomes.insert(one.text.substr(at + 1, one.text.find(',', at) - at - 1));
    }
    EXPECT_EQ(outcomes, (std::set<std::string>{"error", "lost", "ok", "running"}));
    EXPECT_NE(all.front().text.find("by actor"), std::string::npos) << all.front().text;
}

TEST_F(ScanTest, EveryRangeOfEntriesGivesTheSame) {
    Scene scene(40 << 10);
    auto const all = statements();
    std::uint64_t const entries = scene.writer.entries();
    for (std::uint64_t first = 0; first < entries; first += 173) {
        for (std::uint64_t length : {1, 40, 700}) {
            std::uint64_t const last = first + length - 1;
            auto const got = statements({.first_entry = first, .last_entry = last});
            EXPECT_EQ(texts(got),
                      texts(all, [&](const Seen& one) { return one.entry >= first && one.entry <= last; }))
                << "entries " << first << " to " << last;
        }
    }
}

TEST_F(ScanTest, EveryRangeOfTimeGivesTheSame) {
    Scene scene(200 << 10);
    auto const all = statements();
    std::uint64_t const everything = blocks_read;
    for (std::uint64_t since = kStart; since < kStart + 500 * kSecond; since += 37 * kSecond) {
        std::uint64_t const until = since + 20 * kSecond;
        auto const got = statements({.since = since, .until = until});
        EXPECT_EQ(texts(got), texts(all, [&](const Seen& one) { return one.time >= since && one.time <= until; }));
        EXPECT_LT(blocks_read, everything);
    }
}

TEST_F(ScanTest, SessionsAreFoundWhereverTheyAre) {
    Scene scene(100 << 10);
    auto const all = statements();
    std::set<std::uint64_t> sessions;
    for (const Seen& one : all) sessions.insert(one.session);
    ASSERT_GT(sessions.size(), 20u);
    for (std::uint64_t session : sessions) {
        std::vector<std::uint64_t> wanted = {session};
        auto const got = statements({.sessions = wanted});
        EXPECT_EQ(texts(got), texts(all, [&](const Seen& one) { return one.session == session; }));
        std::uint64_t const middle = scene.writer.entries() / 2;
        auto const half = statements({.sessions = wanted, .last_entry = middle});
        EXPECT_EQ(texts(half),
                  texts(all, [&](const Seen& one) { return one.session == session && one.entry <= middle; }));
    }
}

TEST_F(ScanTest, AMissingShortOrWrongIndexChangesNothing) {
    Scene scene(1 << 20);
    auto const all = texts(statements());
    auto& files = Scene::directories.begin()->second;
    base::Bytes const index = files.at("0000000000000000.idx");
    ASSERT_GT(index.size(), 200u);
    for (std::size_t size = 0; size < index.size(); size += 397) {
        files["0000000000000000.idx"].assign(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(texts(statements()), all) << size;
    }
    for (std::size_t i = 0; i < index.size(); i += 61) {
        files["0000000000000000.idx"] = index;
        files["0000000000000000.idx"][i] ^= 0x40;
        EXPECT_EQ(texts(statements()), all) << i;
    }
    files.erase("0000000000000000.idx");
    EXPECT_EQ(texts(statements()), all);
}

// An index that is sound in itself and speaks of another segment.
TEST_F(ScanTest, AnIndexOfAnotherSegmentIsFoundOut) {
    Scene scene(1 << 20);
    auto const all = texts(statements());
    auto& files = Scene::directories.begin()->second;
    base::Bytes& index = files.at("0000000000000000.idx");
    auto const record = [&](std::size_t n) {
        return const_cast<std::uint8_t*>(read_index(index, JournalWriter::kNonce).records.at(n).bytes().data());
    };
    for (std::size_t field : {kIndexOffsetAt, kIndexFirstPositionAt}) {
        base::Bytes const sound = index;
        std::uint8_t* const at = record(1);
        base::put_u64(at + field, base::get_u64(at + field) + 8);
        std::size_t const length = base::get_u32(at);
        base::put_u32(at + kIndexCrcAt, base::crc32c_extend(base::crc32c_extend_number(0, JournalWriter::kNonce),
                                                            {at + kIndexOffsetAt, length - kIndexOffsetAt}));
        ASSERT_EQ(read_index(index, JournalWriter::kNonce).sound, index.size());
        EXPECT_EQ(texts(statements()), all) << field;
        index = sound;
    }
}

TEST_F(ScanTest, WhatIsNotThereYetIsNotRead) {
    Scene scene(50 << 10);
    auto const all = statements();
    auto origins = origins_newest_first(journal);
    ASSERT_TRUE(origins);
    auto const reader = StreamReader::open(journal, origins->front().directory);
    ASSERT_TRUE(reader);
    for (std::uint64_t until : {100, 500, 900}) {
        auto const held = (*reader)->at_index(until);
        ASSERT_TRUE(held && *held);
        origins->front().end = (*held)->entry.position();
        StatementScan statements(BackwardScan(journal, *origins, {}, {}), alive);
        auto const more = statements.next();
        ASSERT_TRUE(more && *more);
        EXPECT_LT(statements.row().entry, until);
        EXPECT_GE(statements.row().entry + 10, until);
    }
}

TEST_F(ScanTest, ADamagedEntryIsNamedWithFileAndOffset) {
    Scene scene(50 << 10);
    auto& files = Scene::directories.begin()->second;
    base::Bytes& segment = files.at("0000000000000001.seg");
    std::size_t const first = base::get_u32(segment.data() + kSegmentHeaderSize);
    segment[kSegmentHeaderSize + first + 70] ^= 1;
    StatementScan statements(scan({}), alive);
    auto more = statements.next();
    while (more && *more) more = statements.next();
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().message, "origin-01010101010101010101010101010101/0000000000000001.seg, offset " +
                                        std::to_string(kSegmentHeaderSize + first) +
                                        ", entry 409: checksum mismatch");
    // What stands on either side of it can still be read.
    EXPECT_GT(this->statements({.last_entry = 100}).size(), 3u);
}

TEST_F(ScanTest, RemovedSegmentsAreNotMissed) {
    Scene scene(50 << 10);
    auto const all = statements();
    auto& files = Scene::directories.begin()->second;
    auto const second = decode_header(files.at("0000000000000002.seg"));
    ASSERT_TRUE(second);
    for (const char* name : {"0000000000000000.seg", "0000000000000000.idx", "0000000000000001.seg"})
        files.erase(name);
    auto const rest = statements();
    EXPECT_EQ(rest.size(), texts(all, [&](const Seen& one) { return one.entry >= second->first_index(); }).size());
    EXPECT_TRUE(statements({.last_entry = 3}).empty());
}

TEST_F(ScanTest, OriginsAreReadOneAfterTheOther) {
    Scene first(50 << 10, 1, 300);
    Scene second(50 << 10, 2, 300);
    auto const all = statements();
    std::string origins;
    for (const Seen& one : all)
        if (origins.empty() || origins.substr(origins.size() - 2) != one.text.substr(0, 2))
            origins += one.text.substr(0, 2);
    EXPECT_EQ(origins, "0201");
}

TEST_F(ScanTest, SessionsAreCountedWhole) {
    Scene first(50 << 10, 1);
    Scene second(50 << 10, 2);
    std::map<std::string, std::uint64_t> counted;
    for (const Seen& one : statements()) ++counted[one.text.substr(0, 2) + base::session_text(one.session)];
    SessionScan sessions(scan({}), alive);
    std::map<std::string, std::uint64_t> told;
    std::map<SessionState, int> states;
    for (;;) {
        auto const more = sessions.next();
        ASSERT_TRUE(more) << more.error().message;
        if (!*more) break;
        const SessionRow& row = sessions.row();
        std::string const key = sessions.origin().substr(0, 2) + base::session_text(row.session);
        EXPECT_FALSE(told.contains(key)) << key;
        told[key] = row.statements;
        ++states[row.state];
        EXPECT_EQ(row.fact(Field::kActor), "actor " + std::to_string(row.session % 5));
        EXPECT_EQ(row.ended.has_value(), row.state == SessionState::kEnded);
    }
    for (const auto& [key, count] : counted) EXPECT_EQ(told[key], count) << key;
    EXPECT_GT(states[SessionState::kEnded], 5);
    EXPECT_GT(states[SessionState::kLost], 5);
    EXPECT_GT(states[SessionState::kOpen], 0);
}

}  // namespace
}  // namespace hoopguard::record
