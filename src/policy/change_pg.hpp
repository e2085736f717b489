// A transaction that changes policy: marks that durably before it commits, and returns to the client when the new
// image is in force.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::policy {

// Registers the callbacks of transactions; called once, from _PG_init.
void install_change_callbacks();

// The current transaction has changed the policy table `relation`. May throw pg::Error.
void note_change(Oid relation);

}  // namespace hoopguard::policy
