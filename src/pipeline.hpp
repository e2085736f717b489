// The sentence that hoopguard is: identify, classify, decide, record, then refuse or run masked.
#pragma once

#include "approve/lent.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "pg/compat.hpp"

namespace hoopguard {

// Puts `statement` through every stage. Throws pg::Refusal when it may not run or cannot be recorded. One that
// may run is open in the journal from then on.
void admit(const classify::Statement& statement);

// Tells the client what was decided, once that is on record: throws pg::Refusal, or warns.
void pronounce(const decide::Decision& decision);

// `statement` runs, and has met a guardrail that asks: uses an approval of it, or files a request for the next
// time. `decision` is then as admit() would have it.
void consult_late(const classify::Statement& statement, decide::Decision& decision);

// What the statement that runs at this moment runs inside itself was approved by these voters: it is not asked
// about again, as far as they are enough for it.
void lend_approval(std::uint64_t request, std::vector<std::string> decided_by, approve::Voters voters);

// A client has authenticated: takes over who it is, and records it. Throws pg::Refusal when it may not log in, or
// when that cannot be recorded.
void admit_login(Port* port);

// The transaction is about to commit: returns when what it did is durable in the journal, as far as
// hoopguard.journal_sync asks for that. Throws pg::Refusal when that cannot be had.
void secure_commit();

// An error is being raised. Called from within ereport(): raises nothing.
void observe_error(const ErrorData& error) noexcept;

}  // namespace hoopguard
