// The role of a session that speaks by a token: whatever asks for another one gets only what that role may be.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard::identify {

// Puts itself before PostgreSQL's own handling of the settings "role" and "session_authorization"; called once,
// from _PG_init. Every way to set a role leads there: SET, RESET, DISCARD, set_config(), functions with SET,
// start-up options, ALTER ROLE and ALTER DATABASE.
void guard_role_settings();

// Gives the session the role of its bearer: until the transaction ends when `local`. May throw pg::Error.
void take_role(const char* role, bool local);

// Whether the session's role now is one that the bearer may have; sets it back when it is not. May throw
// pg::Error.
void hold_role();

}  // namespace hoopguard::identify
