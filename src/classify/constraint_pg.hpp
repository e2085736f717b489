// Queries that PostgreSQL itself runs to hold foreign keys (ri_triggers.c). A user's triggers, casts and defaults
// may run in the same security context, so such a query is known by its form. May raise PostgreSQL errors; holds
// no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::classify {

// Whether this code runs for a foreign key, as its table's owner. Never raises.
bool in_constraint_context() noexcept;

// Whether `condition` is of the form that foreign keys have: columns compared with parameters by built-in
// operators. May be null.
bool is_key_condition(Node* condition);

// Whether `plan` looks whether the row is there that a foreign key refers to, and locks it: SELECT 1 FROM ONLY t x
// WHERE c = $1 FOR KEY SHARE OF x, in that context. It runs no code of any user's and gives nothing back.
bool is_key_check(const PlannedStmt* plan);

}  // namespace hoopguard::classify
