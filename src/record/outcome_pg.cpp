// Ends of statements and transactions, in the order in which PostgreSQL lets them end.
#include "record/outcome_pg.hpp"

#include "record/session_writer_pg.hpp"

namespace hoopguard::record {

RunningSession running_session;

namespace {

// Reserved beside the error's text: numbers, keys and the header.
constexpr std::size_t kOutcomeRoom = 768 + sizeof LastError::message;

void add_xid(EntryWriter& entry) noexcept {
    FullTransactionId const xid = GetTopFullTransactionIdIfAny();
    if (FullTransactionIdIsValid(xid)) entry.add_uint(Field::kXid, U64FromFullTransactionId(xid));
}

const LateDecision* late_decision(std::uint64_t number) noexcept {
    auto& late = running_session.late;
    for (std::size_t at = 0; at < late.size(); ++at)
        if (late[at].number == number) return &late[at];
    return nullptr;
}

void add_late_decision(EntryWriter& entry, std::uint64_t number) noexcept {
    const LateDecision* const decision = late_decision(number);
    if (decision == nullptr) return;
    entry.add_uint(Field::kDecision, decision->verdict);
    entry.add_text(Field::kGuardrail, decision->guardrail);
    entry.add_bool(Field::kEnforced, decision->enforced);
    running_session.late.erase(static_cast<std::size_t>(decision - &running_session.late[0]));
}

// Of a statement that ended well, and about which nothing was decided while it ran.
bool write_whole(const StatementEnd& ending, TransactionOutcome transaction) noexcept {
    std::uint8_t room[64];
    CborWriter fields(room);
    unsigned count = 2;
    auto const add = [&fields](Field field, std::uint64_t value) {
        fields.unsigned_number(static_cast<std::uint64_t>(field));
        fields.unsigned_number(value);
    };
    add(Field::kRows, ending.rows);
    add(Field::kDuration, ending.duration);
    if (transaction != TransactionOutcome::kUnknown) {
        add(Field::kTransactionOutcome, static_cast<std::uint64_t>(transaction));
        ++count;
    }
    FullTransactionId const xid = GetTopFullTransactionIdIfAny();
    if (FullTransactionIdIsValid(xid)) {
        add(Field::kXid, U64FromFullTransactionId(xid));
        ++count;
    }
    return put_whole(ending.number, {room, fields.size()}, count);
}

// `transaction`, unless unknown, says how the transaction ended that goes on until now.
[[gnu::hot]] void write_outcome(const StatementEnd& ending,
                                TransactionOutcome transaction = TransactionOutcome::kUnknown) noexcept {
    bool const plain = ending.sqlstate == 0 && running_session.late.empty();
    if (plain && write_whole(ending, transaction)) return;
    std::uint8_t room[kOutcomeRoom];
    EntryWriter entry(room, session_head(EntryType::kOutcome, ending.at));
    entry.add_uint(Field::kStatementNo, ending.number);
    entry.add_uint(Field::kRows, ending.rows);
    entry.add_uint(Field::kDuration, ending.duration);
    if (ending.sqlstate != 0) {
        entry.add_text(Field::kSqlstate, unpack_sql_state(ending.sqlstate));
        const LastError& error = running_session.error;
        if (error.sqlstate == ending.sqlstate) entry.add_text(Field::kError, error.message);
    }
    if (transaction != TransactionOutcome::kUnknown) {
        entry.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(transaction));
        add_xid(entry);
        add_late_decision(entry, ending.number);
        entry.add_uint(Field::kTransactionNo, running_session.last_transaction);
    } else {
        add_xid(entry);  // should the process die, it tells what became of the transaction
        add_late_decision(entry, ending.number);
    }
    put(entry, Room::kClosing);
}

[[gnu::hot]] void write_transaction_end(TransactionOutcome outcome, const char* prepared_name,
                                        bool with_error) noexcept {
    std::uint8_t room[kOutcomeRoom];
    EntryWriter entry(room, session_head(EntryType::kTransactionEnd, Clock::steady()));
    if (with_error) {
        entry.add_text(Field::kSqlstate, running_session.error.sqlstate_text());
        entry.add_text(Field::kError, running_session.error.message);
    }
    entry.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(outcome));
    add_xid(entry);
    entry.add_uint(Field::kTransactionNo, running_session.last_transaction);
    if (prepared_name != nullptr) entry.add_text(Field::kSubject, prepared_name);
    put(entry, Room::kClosing);
}

// The transaction is over; `outcome` goes into the outcome that is held back, or into an entry of its own.
[[gnu::hot]] void end_transaction(TransactionOutcome outcome, const char* prepared_name = nullptr) noexcept {
    RunningSession& state = running_session;
    HeldOutcome& held = state.held;
    bool const had_statements = state.in_transaction;
    bool failed_in_commit = outcome == TransactionOutcome::kRolledBack && state.error.in_commit;
    if (held.active) {
        StatementEnd ending = held.ending;
        if (failed_in_commit) ending.sqlstate = state.error.sqlstate;
        bool const tells_all = had_statements && !held.ends_block && prepared_name == nullptr;
        held.active = false;
        failed_in_commit = false;
        write_outcome(ending, tells_all ? outcome : TransactionOutcome::kUnknown);
        if (!tells_all && had_statements) write_transaction_end(outcome, prepared_name, false);
    } else if (had_statements) {
        write_transaction_end(outcome, prepared_name, failed_in_commit);
    }
    state.open.leave_dead();
    state.in_transaction = false;
    state.error.in_commit = false;
    state.subtransactions.cut(0);
    state.savepoint_command = 0;
}

// Executor calls do not see the error that ends them: in an abort a query that was running when the error
// travelled past has failed, while a cursor that merely stood open has not.
[[gnu::hot]] void close_queries(std::uint32_t subtransaction, bool aborted) noexcept {
    RunningSession& state = running_session;
    while (aborted) {
        OpenStatement* const failed = state.open.running_query(subtransaction);
        if (failed == nullptr) break;
        close_statement(failed, state.error.sqlstate);
    }
    for (std::size_t at = state.open.size(); at-- > 0;) {
        OpenStatement& statement = state.open[at];
        if (statement.subtransaction < subtransaction) continue;
        // Utilities close themselves, except in a process that exits from inside one.
        if (statement.utility && !proc_exit_inprogress) continue;
        close_statement(&statement, statement.utility ? state.error.sqlstate : 0);
    }
}

}  // namespace

[[gnu::hot]] void close_statement(OpenStatement* statement, int sqlstate) noexcept {
    RunningSession& state = running_session;
    if (statement->paused == 0 || sqlstate != 0) pause_statement(*statement, Clock::steady());
    bool const sent_by_client = statement->parent == 0;
    bool const hold =
        sent_by_client && !statement->in_failed_block && (statement->ends_transaction || !IsTransactionBlock());
    // ROLLBACK after an error: what it ends was rolled back when the error came.
    bool const ended_before = sent_by_client && statement->in_failed_block && !state.in_transaction;
    StatementEnd ending;
    ending.number = statement->number;
    ending.rows = statement->rows;
    ending.duration = statement->busy;
    ending.at = statement->paused;
    ending.sqlstate = sqlstate;
    if (hold && !state.held.active)
        state.held = {true, IsTransactionBlock(), ending, GetCurrentStatementStartTimestamp()};
    else
        write_outcome(ending, ended_before ? TransactionOutcome::kRolledBack : TransactionOutcome::kUnknown);
    state.open.close(statement);
}

void note_late(std::uint64_t number, std::uint8_t verdict, bool enforced, std::string_view guardrail) noexcept {
    auto& late = running_session.late;
    if (const LateDecision* const known = late_decision(number)) {
        bool const stricter = enforced == known->enforced ? verdict > known->verdict : enforced;
        if (!stricter) return;
        late.erase(static_cast<std::size_t>(known - &late[0]));
    }
    try {
        late.reserve_one();
    } catch (const std::bad_alloc&) {
        return;
    }
    LateDecision decision;
    decision.number = number;
    decision.verdict = verdict;
    decision.enforced = enforced;
    guardrail.copy(decision.guardrail, sizeof decision.guardrail - 1);
    late.push(decision);
}

[[gnu::hot]] void flush_held_outcome() noexcept {
    HeldOutcome& held = running_session.held;
    if (!held.active) return;
    held.active = false;
    write_outcome(held.ending);
}

[[gnu::hot]] void transaction_committed() noexcept {
    close_queries(0, false);
    end_transaction(TransactionOutcome::kCommitted);
}

void transaction_aborted() noexcept {
    close_queries(0, true);
    end_transaction(TransactionOutcome::kRolledBack);
}

void transaction_prepared() noexcept {
    close_queries(0, false);
    end_transaction(TransactionOutcome::kPrepared, running_session.prepared_name);
}

void subtransaction_began(std::uint32_t id) noexcept {
    RunningSession& state = running_session;
    try {
        state.subtransactions.reserve_one();
    } catch (const std::bad_alloc&) {
        return;
    }
    state.subtransactions.push({id, state.last_statement + 1});
}

void subtransaction_ended(std::uint32_t id) noexcept {
    auto& stack = running_session.subtransactions;
    while (!stack.empty() && stack.back().id >= id) stack.cut(stack.size() - 1);
}

void subtransaction_aborted(std::uint32_t id) noexcept {
    RunningSession& state = running_session;
    close_queries(id, true);
    state.open.leave_subtransaction(id);
    std::uint64_t first = UINT64_MAX;
    auto& stack = state.subtransactions;
    for (std::size_t at = 0; at < stack.size(); ++at)
        if (stack[at].id == id) first = stack[at].first_statement;
    subtransaction_ended(id);
    // ROLLBACK TO runs within what it takes back, yet is not taken back itself.
    std::uint64_t const last = state.savepoint_command != 0 ? state.savepoint_command - 1 : state.last_statement;
    if (first > last || !state.in_transaction) return;
    std::uint8_t room[256];
    EntryWriter entry(room, session_head(EntryType::kTransactionEnd, Clock::steady(), kFlagSubtransaction));
    entry.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(TransactionOutcome::kRolledBack));
    entry.add_uint(Field::kTransactionNo, state.last_transaction);
    entry.add_uint(Field::kFirstStatementNo, first);
    entry.add_uint(Field::kLastStatementNo, last);
    put(entry, Room::kClosing);
}

void prepared_transaction_ended(std::uint64_t number, const char* name, bool committed) noexcept {
    auto const outcome = committed ? TransactionOutcome::kCommitted : TransactionOutcome::kRolledBack;
    std::uint8_t room[512];
    EntryWriter entry(room, session_head(EntryType::kTransactionEnd, Clock::steady()));
    entry.add_uint(Field::kTransactionOutcome, static_cast<std::uint64_t>(outcome));
    // Of this session only the command itself is concerned.
    entry.add_uint(Field::kFirstStatementNo, number);
    entry.add_text(Field::kSubject, name);
    entry.add_uint(Field::kLastStatementNo, number);
    put(entry, Room::kClosing);
}

}  // namespace hoopguard::record
