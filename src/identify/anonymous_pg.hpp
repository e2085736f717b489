// Sessions of roles that speak only by a token, before one has come.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard::identify {

// Throws pg::Refusal (28000) when the session needs a token to speak and has none, unless the statement is one
// that brings it or does nothing: login() and what tells about the session, constants, transaction control, SET,
// SHOW, DISCARD. May throw pg::Error. `plan`: null for a fastpath call.
void demand_bearer(const PlannedStmt* plan);

}  // namespace hoopguard::identify
