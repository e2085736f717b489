// The masked columns of a relation under given rules, kept per process until labels, relations or rules change.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/in_force_pg.hpp"
#include "mask/resolve.hpp"

namespace hoopguard::mask {

// By number; null when there are none. A copy that belongs to the current memory context.
const MaskedColumns* columns_under(const MaskRules& rules, Oid relation);

}  // namespace hoopguard::mask
