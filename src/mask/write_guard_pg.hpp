// A masked value must not overwrite a classified column: UPDATE customer SET email = lower(email), run by somebody
// who sees masks, would destroy what he may not see.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/lineage_pg.hpp"

namespace hoopguard::mask {

// Refuses (42501) the substituted query of `level` when an UPDATE, an ON CONFLICT DO UPDATE or a MERGE in it sets
// a masked column from an expression that any mask feeds; also an UPDATE through a view with INSTEAD OF triggers
// whose new row would hold masked values of columns that it leaves alone.
void guard_writes(QueryLevel* level);

}  // namespace hoopguard::mask
