// Masking numeric values, whose arithmetic is PostgreSQL's.
// May raise PostgreSQL errors; holds no C++ objects: call it from PostgreSQL's side only.
#pragma once

#include "mask/value_pg.hpp"

namespace hoopguard::mask {

// What is not a number, or infinite, becomes 0.
Datum mask_numeric(const ValueMask& mask, Datum value);

}  // namespace hoopguard::mask
