// Which columns a stored expression or query draws on, so that what is computed from a classified column is
// classified too. May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace hoopguard::mask {

// Told of each column that is drawn on: `column` is a number of `relation`, or 0 for its whole row.
using ColumnVisitor = void (*)(Oid relation, AttrNumber column, void* context);

// Visits what output column `column` of a query that has not been rewritten draws on: through joins,
// sub-queries, CTEs and views, down to tables. Conditions count as little as sort keys: only values do.
void visit_sources(Query* query, AttrNumber column, ColumnVisitor visit, void* context);

// The same for an expression over one relation, the number 1 of its range table (a generated column's).
void visit_own_columns(Node* expression, Oid relation, ColumnVisitor visit, void* context);

}  // namespace hoopguard::mask
