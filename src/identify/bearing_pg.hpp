// The tokens that this session speaks by: the one it logged in with, one that login() brought for the session, and
// those that hold until the end of a transaction.
#pragma once

#include "identify/bearer.hpp"
#include "identify/credential_pg.hpp"
#include "pg/compat.hpp"

#include <string_view>

namespace hoopguard::identify {

// Who speaks by a token now; null: the database role does. Valid until the next call that changes it.
const Bearer* bearer() noexcept;
// The role that the session has by its token, or else the role that logged in: what it is a member of, its speaker
// is.
Oid speaking_role() noexcept;
// Rises whenever bearer() becomes another.
std::uint64_t bearer_change() noexcept;

// Called by the PAM module, below PostgreSQL's authentication: whether the password is a token that is good for
// that role. Keeps whose it is until the connection is admitted. Raises nothing.
bool offer_password(const char* user, const char* password) noexcept;
// Whose the token was that was offered last and is good; empty: none. Valid until the next call.
std::string_view offered_subject() noexcept;
// Why the last token was refused; empty when none was. For the journal.
std::string_view refusal_reason() noexcept;

// After authentication: takes over the token that was verified for this connection, and has the session begin with
// its role. Throws pg::Refusal (28000) when the role must come with a token and none was verified.
void admit_bearer(Port* port);

// login(): within a transaction block until that ends, otherwise for the session. Throws pg::Refusal (28000) when
// the token is refused.
void login(std::string_view token);
// Whoever login() has speak now does so no longer than until then (seconds since 1970), whatever the token says.
void end_login_at(std::int64_t moment) noexcept;
// Trades a token for a credential; for the client that has it, not for this session. Throws pg::Refusal (28000)
// when the token is refused.
Credential issue_credential(std::string_view token);
// DISCARD ALL: what login() brought for the session is gone, and its role with it. May throw pg::Error.
void log_out();

// Transactions end. These raise nothing.
void transaction_ended(bool committed) noexcept;
void subtransaction_ended(int level, bool committed) noexcept;

// Before a statement runs: throws pg::Refusal (28000) when the token that the session speaks by has expired, and
// ends the session then; sees to it that the session has its role. May throw pg::Error.
void hold_to_bearer();

// PostgreSQL stops all timers when it has caught an error: starts the one that ends the session again.
void rearm_expiry() noexcept;

}  // namespace hoopguard::identify
