// Referential integrity's own queries see real values, or valid rows would be refused and cascades lost. A user's
// triggers, casts and defaults run in the same security context, so a query is known by its form: it compares
// columns with parameters by built-in operators, reads one table alone and gives nothing back. May raise
// PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

extern "C" {
#include "nodes/parsenodes.h"
}

namespace hoopguard::mask {

// What plans of such queries are stamped with, whoever speaks.
inline constexpr std::uint64_t kReferentialStamp = 0x7265666572656E63;

// Whether `query` may stay as it is: by the form above, in that context.
bool is_referential(const Query* query);

}  // namespace hoopguard::mask
