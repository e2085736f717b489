// Moving masks that a finished plan evaluates at its top into the node HoopMask, which masks natively. What stays
// where it was is masked by the call: no result depends on this.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// Changes the plan tree of `plan` in place. `options`: those of the cursor that it was planned for.
void hoist(PlannedStmt* plan, int options);

}  // namespace hoopguard::mask
