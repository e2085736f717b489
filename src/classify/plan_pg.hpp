// The footprint of a plannable statement, from its finished plan.
#pragma once

#include "classify/footprint_builder.hpp"
#include "pg/compat.hpp"

namespace hoopguard::classify {

// What the plan will do: relations it reads and changes, CTEs and rules included, and functions whose effect is
// known. Statements that functions and triggers run are met on their own. Gives how many rows the statement is
// expected to give out; 0 when there is nothing to expect by. May throw pg::Error.
double classify_plan(const PlannedStmt* plan, FootprintBuilder& out);

// Bits of Privilege.
std::uint16_t privileges_of(AclMode required) noexcept;

// Takes note of a plan without tables. PL/pgSQL evaluates such a plan without the executor: all that is seen then
// is the function that it calls.
void note_expression(const PlannedStmt* plan);
// Whether any of them sets a protected setting, or one whose name is known only when it runs.
bool any_expression_sets_protected() noexcept;

}  // namespace hoopguard::classify
