// The roles that a role is a member of, through the catalog caches.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::decide {

// Names of `role` itself and of all roles it is a member of, directly or not, whether inherited or not, sorted. A
// superuser counts as a member of nothing by that alone. May throw pg::Error.
std::vector<std::string> memberships(Oid role);

// Whether hoopguard.system_roles names this very role. May throw pg::Error.
bool is_system_role(Oid role);

// Changes whenever what memberships() says may have changed, for any role.
std::uint64_t roles_epoch();

}  // namespace hoopguard::decide
