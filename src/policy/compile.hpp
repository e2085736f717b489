// From the policy tables to the image.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "policy/tables.hpp"

namespace hoopguard::policy {

// Compiles all or nothing: a row that is not valid fails the whole, named, so that it never widens anything.
// `created_at`: nanoseconds since 1970-01-01 UTC.
base::Result<base::Bytes> compile(const Tables& tables, std::uint64_t generation, std::uint64_t system_identifier,
                                  std::uint64_t created_at);

}  // namespace hoopguard::policy
