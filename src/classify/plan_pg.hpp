// The footprint of a plannable statement, from its finished plan.
#pragma once

#include "classify/footprint_builder.hpp"
#include "pg/compat.hpp"

namespace hoopguard::classify {

// What the plan will do: relations it reads and changes, CTEs and rules included, and functions whose effect is
// known. Statements that functions and triggers run are met on their own. May throw pg::Error.
void classify_plan(const PlannedStmt* plan, FootprintBuilder& out);

}  // namespace hoopguard::classify
