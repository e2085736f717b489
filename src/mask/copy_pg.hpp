// COPY table TO never meets the planner: for a masked actor it becomes the query that it stands for.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// Returns `statement`, or a copy of it that copies a query when it is a COPY of a table to somewhere and takes
// columns that the actor may not see. Refuses (42501) that unless hoopguard.masked_dump is on: a dump of masks
// that looks like a backup helps nobody.
PlannedStmt* copy_as_query(PlannedStmt* statement);

}  // namespace hoopguard::mask
