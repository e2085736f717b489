// Statements out of entries: outcomes, ends of transactions and savepoints, sessions that ended or did not.
#include "record/assemble.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAlice = 0x6553f10000000123;
constexpr std::uint64_t kBob = 0x6553f10100000124;

// Writes entries as backends do, oldest first.
class Stream {
 public:
    struct Facts {
        std::uint16_t flags = 0;
        std::optional<std::uint64_t> no, parent, rows, duration, xid, transaction_no, first, last;
        std::optional<TransactionOutcome> transaction;
        std::string sqlstate;
    };

    Stream& add(EntryType type, std::uint64_t session) { return add(type, session, Facts()); }
    Stream& add(EntryType type, std::uint64_t session, const Facts& facts) {
        base::Bytes& out = entries_.emplace_back();
        EntryWriter writer(out, {.type = type,
                                 .flags = facts.flags,
                                 .time = 1'700'000'000'000'000'000 + entries_.size(),
                                 .session = session,
                                 .session_sequence = session == 0 ? ++server_ : ++sequence_[session]});
        if (facts.no) writer.add_uint(Field::kStatementNo, *facts.no);
        if (facts.parent) writer.add_uint(Field::kParentNo, *facts.parent);
        if (facts.rows) writer.add_uint(Field::kRows, *facts.rows);
        if (facts.duration) writer.add_uint(Field::kDuration, *facts.duration);
        if (!facts.sqlstate.empty()) writer.add_text(Field::kSqlstate, facts.sqlstate);
        if (facts.transaction)
            writer.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(*facts.transaction));
        if (facts.xid) writer.add_uint(Field::kXid, *facts.xid);
        if (facts.transaction_no) writer.add_uint(Field::kTransactionNo, *facts.transaction_no);
        if (facts.first) writer.add_uint(Field::kFirstStatementNo, *facts.first);
        if (facts.last) writer.add_uint(Field::kLastStatementNo, *facts.last);
        EXPECT_GT(writer.finish(0), 0u);
        return *this;
    }
    Stream& statement(std::uint64_t no, std::uint64_t session = kAlice) {
        return add(EntryType::kStatement, session, {.no = no});
    }
    Stream& ok(std::uint64_t no, std::optional<TransactionOutcome> transaction = {},
               std::uint64_t session = kAlice) {
        return add(EntryType::kOutcome, session,
                   {.no = no, .rows = no * 10, .duration = 5, .transaction = transaction});
    }
    Stream& whole(std::uint64_t no, std::optional<TransactionOutcome> transaction = {}) {
        return add(EntryType::kStatement, kAlice,
                   {.flags = kFlagWhole,
                    .no = no,
                    .rows = no * 10,
                    .duration = 5,
                    .transaction_no = no,
                    .transaction = transaction});
    }
    Stream& failed(std::uint64_t no, const char* sqlstate, std::optional<TransactionOutcome> transaction = {}) {
        return add(EntryType::kOutcome, kAlice, {.no = no, .transaction = transaction, .sqlstate = sqlstate});
    }
    Stream& end(TransactionOutcome outcome, std::uint64_t first, std::uint64_t last, std::uint16_t flags = 0) {
        return add(EntryType::kTransactionEnd, kAlice,
                   {.flags = flags, .xid = 77, .first = first, .last = last, .transaction = outcome});
    }
    Stream& savepoint_rolled_back(std::uint64_t first, std::uint64_t last) {
        return end(TransactionOutcome::kRolledBack, first, last, kFlagSubtransaction);
    }

    std::size_t size() const { return entries_.size(); }
    EntryView operator[](std::size_t index) const { return EntryView(entries_[index].data()); }

    // The rows of entries [from, to), looking ahead beyond `to`; by statement number, of kAlice's session.
    std::map<std::uint64_t, StatementRow> rows(Assembler& assembler, std::size_t from, std::size_t to) const {
        std::map<std::uint64_t, StatementRow> out;
        std::size_t ahead = to;
        for (std::size_t i = to; i-- > from;) {
            StatementRow row;
            if (!assembler.take((*this)[i], i, row)) continue;
            if (to < size() && assembler.incomplete(row)) {
                bool more = true;
                for (; more && ahead < size(); ++ahead)
                    if ((*this)[ahead].session() == row.start.session())
                        more = assembler.take_ahead((*this)[ahead], row);
                if (more) assembler.end_ahead(row.start.session());
                assembler.complete(row);
            }
            if (row.start.session() == kAlice) out.emplace(row.statement_no, row);
        }
        return out;
    }
    std::map<std::uint64_t, StatementRow> rows(Assembler::Alive alive = {}) const {
        Assembler assembler(std::move(alive));
        return rows(assembler, 0, size());
    }

 private:
    std::deque<base::Bytes> entries_;
    std::map<std::uint64_t, std::uint64_t> sequence_;
    std::uint64_t server_ = 0;
};

using enum TransactionOutcome;

TEST(Assemble, ImplicitTransactionsEndWithTheirStatement) {
    Stream stream;
    stream.add(EntryType::kLogin, kAlice)
        .statement(1)
        .ok(1, kCommitted)
        .statement(2)
        .failed(2, "22012", kRolledBack);
    auto rows = stream.rows();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[1].transaction, kCommitted);
    EXPECT_EQ(rows[1].rows(), 10u);
    EXPECT_EQ(rows[1].duration(), 5u);
    EXPECT_EQ(rows[1].entry, 1u);
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kError);
    EXPECT_EQ(rows[2].sqlstate(), "22012");
    EXPECT_EQ(rows[2].transaction, kRolledBack);
    EXPECT_EQ(rows[2].rows(), std::nullopt);
}

TEST(Assemble, AWholeStatementHasEndedWithItsEntry) {
    Stream stream;
    stream.whole(1, kCommitted).whole(2).statement(3).ok(3).end(kRolledBack, 2, 3).whole(4);
    auto rows = stream.rows([](std::uint64_t) { return true; });
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[1].transaction, kCommitted);
    EXPECT_EQ(rows[1].rows(), 10u);
    EXPECT_EQ(rows[1].duration(), 5u);
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[2].transaction, kRolledBack);
    EXPECT_EQ(rows[4].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[4].transaction, kOpen) << "its transaction goes on";
}

TEST(Assemble, LookingAheadStopsAtAWholeStatement) {
    Stream stream;
    stream.statement(1).ok(1).end(kCommitted, 1, 1).whole(2, kCommitted).statement(3);
    Assembler assembler;
    auto rows = stream.rows(assembler, 0, 2);
    EXPECT_EQ(rows[1].transaction, kCommitted);
    Stream later;
    later.statement(1).ok(1).whole(2, kCommitted).end(kRolledBack, 3, 3);
    Assembler other;
    auto unknown = later.rows(other, 0, 2);
    EXPECT_NE(unknown[1].transaction, kRolledBack) << "a transaction that came after";
}

TEST(Assemble, AStatementRolledBackLaterIsToldFromOneThatCommitted) {
    Stream stream;
    stream.statement(1).ok(1).statement(2).ok(2).end(kRolledBack, 1, 2);
    stream.statement(3).ok(3).end(kCommitted, 3, 3);
    auto rows = stream.rows();
    EXPECT_EQ(rows[1].transaction, kRolledBack);
    EXPECT_EQ(rows[2].transaction, kRolledBack);
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[3].transaction, kCommitted);
    EXPECT_EQ(rows[3].xid, 77u);
}

TEST(Assemble, ASavepointTakesBackOnlyItsOwn) {
    Stream stream;
    stream.statement(1).ok(1).statement(2).ok(2).statement(3).ok(3).savepoint_rolled_back(2, 3);
    stream.statement(4).ok(4).statement(5).ok(5).savepoint_rolled_back(5, 5).end(kCommitted, 1, 5);
    auto rows = stream.rows();
    EXPECT_EQ(rows[1].transaction, kCommitted);
    EXPECT_EQ(rows[2].transaction, kRolledBack);
    EXPECT_EQ(rows[3].transaction, kRolledBack);
    EXPECT_EQ(rows[4].transaction, kCommitted);
    EXPECT_EQ(rows[5].transaction, kRolledBack);
}

TEST(Assemble, NestedStatementsShareTheTransactionOfWhatRunsThem) {
    Stream stream;
    stream.statement(1).statement(2).ok(2).statement(3).ok(3).ok(1, kCommitted);
    auto rows = stream.rows();
    for (std::uint64_t no : {1, 2, 3}) EXPECT_EQ(rows[no].transaction, kCommitted) << no;
}

TEST(Assemble, AProcedureThatCommitsWithinHasEachStatementInItsTransaction) {
    Stream stream;
    auto const with = [](std::uint64_t no, std::uint64_t transaction) {
        return Stream::Facts{.no = no, .transaction_no = transaction};
    };
    stream.add(EntryType::kStatement, kAlice, with(1, 1)).add(EntryType::kStatement, kAlice, with(2, 1)).ok(2);
    stream.add(EntryType::kTransactionEnd, kAlice,
               {.transaction_no = 1, .first = 1, .last = 2, .transaction = kCommitted});
    stream.add(EntryType::kStatement, kAlice, with(3, 2)).ok(3);
    stream.add(EntryType::kOutcome, kAlice, {.no = 1, .sqlstate = "22012"});
    stream.add(EntryType::kTransactionEnd, kAlice,
               {.transaction_no = 2, .first = 3, .last = 3, .transaction = kRolledBack});
    auto rows = stream.rows();
    EXPECT_EQ(rows[1].transaction, kCommitted);
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kError);
    EXPECT_EQ(rows[2].transaction, kCommitted);
    EXPECT_EQ(rows[3].transaction, kRolledBack);
}

TEST(Assemble, WithoutAnOutcomeAStatementRunsOrIsLost) {
    Stream stream;
    stream.statement(1).ok(1).statement(2);
    auto rows = stream.rows();
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kRunning);
    EXPECT_EQ(rows[1].transaction, kOpen);
    rows = stream.rows([](std::uint64_t session) { return session != kAlice; });
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kLost);
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kOk);
    EXPECT_EQ(rows[1].transaction, kUnknown);
    stream.add(EntryType::kLogout, kAlice);
    rows = stream.rows();
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kLost);
}

TEST(Assemble, AServersStartEndsEverySessionBefore) {
    Stream stream;
    stream.statement(1).add(EntryType::kOpen, 0).statement(1, kBob);
    auto rows = stream.rows();
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kLost);
    EXPECT_EQ(rows[1].transaction, kUnknown);
}

TEST(Assemble, RefusedAndUnparsedStatementsNeedNoOutcome) {
    Stream stream;
    stream.add(EntryType::kStatement, kAlice, {.flags = kFlagRefused, .no = 1, .sqlstate = "42501"});
    stream.add(EntryType::kFailure, kAlice, {.no = 2, .sqlstate = "42601"});
    stream.statement(3).failed(3, "57014", kRolledBack);
    auto rows = stream.rows();
    EXPECT_EQ(rows[1].outcome, StatementOutcome::kRefused);
    EXPECT_EQ(rows[1].sqlstate(), "42501");
    EXPECT_EQ(rows[1].transaction, kRolledBack);
    EXPECT_EQ(rows[2].outcome, StatementOutcome::kError);
    EXPECT_EQ(rows[2].transaction, kRolledBack);
    EXPECT_EQ(rows[3].outcome, StatementOutcome::kCancelled);
    stream.statement(4).failed(4, "57P01", kRolledBack);
    EXPECT_EQ(stream.rows()[4].outcome, StatementOutcome::kCancelled);
}

// Wherever a range ends, looking ahead finds what a reading from the journal's end finds.
TEST(Assemble, LookingAheadFindsWhatLiesBeyondARange) {
    Stream stream;
    stream.add(EntryType::kLogin, kAlice).statement(1, kBob).statement(1).ok(1).statement(2).statement(3).ok(3);
    stream.savepoint_rolled_back(3, 3).statement(4).ok(4).ok(1, kCommitted, kBob).failed(2, "22012");
    stream.end(kRolledBack, 1, 4).statement(2, kBob).statement(5).ok(5, kCommitted).statement(6).statement(7);
    stream.ok(7).ok(6, kCommitted).statement(8).ok(8).end(kPrepared, 8, 8).statement(9).ok(2, kCommitted, kBob);
    stream.add(EntryType::kLogout, kAlice);
    auto const all = stream.rows();
    for (std::size_t to = 1; to <= stream.size(); ++to) {
        Assembler assembler;
        for (auto const& [no, row] : stream.rows(assembler, 0, to)) {
            EXPECT_EQ(row.outcome, all.at(no).outcome) << "statement " << no << " of a range up to " << to;
            EXPECT_EQ(row.transaction, all.at(no).transaction) << "statement " << no << " of a range up to " << to;
            EXPECT_EQ(row.sqlstate(), all.at(no).sqlstate());
            EXPECT_EQ(row.xid, all.at(no).xid);
        }
    }
}

}  // namespace
}  // namespace hoopguard::record
