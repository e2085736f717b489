// What a masked actor may not do to tables with columns that are masked for him: whatever would run expressions
// over real values outside of a query, or tell whether a value is there. May raise PostgreSQL errors; holds no C++
// objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace hoopguard::mask {

// Refuses (42501) definitions on such tables (ALTER, indexes, triggers, rules, policies, statistics), references
// to them by foreign keys, and constraints of domains where any column is classified.
void check_utility(Node* statement);

// Whether `statement` labels a column for hoopguard and the current user does not own the table: then it was done
// here, because PostgreSQL would demand ownership.
bool label_without_ownership(Node* statement);

}  // namespace hoopguard::mask
