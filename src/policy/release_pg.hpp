// Letting go of the control database for whoever may drop, rename, move or copy it.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard::policy {

// Before `command` runs: when it needs the control database without sessions, and comes from its owner, the broker
// leaves it for a while. May throw pg::Error.
void release_control_database(const Node* command);

}  // namespace hoopguard::policy
