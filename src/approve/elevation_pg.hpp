// Roles that the session's login role holds by just-in-time grants, and what that means for its statements.
//
// A membership that a grant made is in pg_auth_members for every session of the member. A statement rests on it
// when what it needs is not covered by the roles held without it. When the grant ends, the broker takes the
// membership back; until that is done nothing of the member's begins.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace hoopguard::approve {

// Called before a statement is decided: waits, boundedly, until roles whose grants have ended are taken back, and
// hears of it. Throws pg::Refusal when that takes too long, pg::Error when interrupted.
void settle_roles(const identify::Actor& actor);

// A login as `role`: waits in the same way, so that nobody gets in by a membership that is over. Throws
// pg::Refusal (28000) when it takes too long.
void settle_login(std::string_view role);

// What grants say of a statement that guardrails have judged: a session may have lost the role it has set, and
// what would outlive a grant must have been asked for by name. Returns `decision` or a stricter one, valid until
// the next call.
const decide::Decision& judge(const identify::Actor& actor, const classify::Statement& statement,
                              const classify::Footprint& footprint, const decide::Decision& decision);

// The grants of roles that the statement rests on. Valid until the next call.
const std::vector<std::uint64_t>& role_grants(const identify::Actor& actor, const classify::Statement& statement,
                                              const classify::Footprint& footprint);

}  // namespace hoopguard::approve
