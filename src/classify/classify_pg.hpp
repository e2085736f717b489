// From a statement to its footprint, by walking trees; never by reading text.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"

namespace hoopguard::classify {

// The footprint of `statement`. For a plan that is kept, the footprint is kept with it, so that a prepared
// statement pays a look-up. Valid until the statement's plan is freed. May throw pg::Error.
const Footprint& classify(const Statement& statement);

// The footprint of a statement that is not about to run, plannable or utility. May throw pg::Error.
Footprint foresee(const PlannedStmt* plan);

}  // namespace hoopguard::classify
