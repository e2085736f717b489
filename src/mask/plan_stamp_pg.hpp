// What masks a finished plan was made under, carried in the plan: a plan kept by PostgreSQL's plan caches may run
// after roles, labels or policy changed.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// A catalog that all databases share and nothing else touches: whoever publishes a policy sends its relation
// invalidation, and every stamped plan in every process is made anew.
inline constexpr Oid kPolicySentinel = 3592;  // pg_shseclabel

// Stamps `plan`, so that it is made anew when the current role, a label or the policy changes. May raise
// PostgreSQL errors: call it inside pg::call.
void stamp(PlannedStmt* plan, std::uint64_t fingerprint);

// Whether `plan` is stamped, and with what. One that is not read nothing classified when it was made.
bool find_stamp(const PlannedStmt* plan, std::uint64_t* fingerprint) noexcept;

}  // namespace hoopguard::mask
