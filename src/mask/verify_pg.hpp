// The check that no finished plan shows a masked column raw, whatever rewriting did or failed to do.
#pragma once

#include "classify/statement_pg.hpp"
#include "identify/actor.hpp"

namespace hoopguard::mask {

// Throws pg::Refusal (XX000) when the plan of `statement` refers to a column that `actor` may not see anywhere
// but as the argument of a mask.
void verify(const classify::Statement& statement, const identify::Actor& actor);

}  // namespace hoopguard::mask
