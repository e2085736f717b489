// What this process knows of its running statements, its transaction and its last error: shared by the files
// that record statements, ends of transactions and failures, and by nothing else.
#pragma once

#include "pg/prelude.hpp"
#include "record/open_statements.hpp"

#include <string_view>

namespace hoopguard::record {

// The last ERROR or FATAL that was raised in this process, whoever caught it.
struct LastError {
    int sqlstate = 0;
    bool fatal = false;
    bool in_commit = false;  // raised after the statement whose outcome is held back had ended
    char message[1024] = "";
    std::string_view sqlstate_text() const noexcept { return unpack_sql_state(sqlstate); }
};

// How a statement ended.
struct StatementEnd {
    std::uint64_t number = 0;
    std::uint64_t rows = 0;
    std::uint64_t duration = 0;  // nanoseconds
    std::uint64_t at = 0;        // Clock::steady()
    int sqlstate = 0;            // 0: well
};

// A statement sent by the client that has ended, but whose transaction has not: its outcome is not known yet.
struct HeldOutcome {
    bool active = false;
    bool ends_block = false;  // COMMIT or ROLLBACK of a block: the block's end gets an entry of its own
    StatementEnd ending;
    TimestampTz message_time = 0;  // when the client's message that ran it arrived
};

// What was decided about a statement while it ran.
struct LateDecision {
    std::uint64_t number = 0;  // of the statement
    std::uint8_t verdict = 0;
    bool enforced = false;
    char guardrail[132] = "";
};

struct SubtransactionStart {
    std::uint32_t id = 0;
    std::uint64_t first_statement = 0;
};

struct RunningSession {
    OpenStatements open;
    std::uint64_t last_statement = 0;  // number of the last one that has an entry
    std::uint64_t last_transaction = 0;
    bool in_transaction = false;  // last_transaction goes on
    HeldOutcome held;
    PlainSequence<LateDecision, 4> late;  // of statements whose outcome has not been written
    PlainSequence<SubtransactionStart, 16> subtransactions;
    std::uint64_t savepoint_command = 0;  // number of a ROLLBACK TO that is about to take effect
    char prepared_name[200] = "";         // of the command on a prepared transaction that is under way
    LastError error;
    bool refusing = false;         // the next error is hoopguard's, of a statement recorded as refused
    const char* source = nullptr;  // the client's text that the last statement was cut out of,
    std::size_t source_done = 0;   // how many of its bytes statements have been cut out of,
    TimestampTz source_time = 0;   // and when the message came that it is of
};

extern RunningSession running_session;

}  // namespace hoopguard::record
