// What planning itself would give away of masked columns: the order of an index, and statistics behind estimates.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace hoopguard::mask {

// Lets indexes that are sorted by a masked column give bitmaps only: read in their own order they would list rows
// by their real values, which finds any value out by comparison with a few known ones.
void hide_order(Oid relation, RelOptInfo* planned);

// Whether the planner must do without statistics of this column (of a table or an index).
bool hides_statistics(Oid relation, AttrNumber column);

}  // namespace hoopguard::mask
