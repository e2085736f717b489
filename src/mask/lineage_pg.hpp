// What a value is made of: following an expression through joins, sub-queries, CTEs and views down to columns of
// tables. May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
}

namespace hoopguard::mask {

// The queries that a Var's varlevelsup counts through, innermost first.
struct QueryLevel {
    Query* query;
    QueryLevel* outer;
};

// What is asked of each source; true ends the search. Conditions and sort keys are no sources: only values are.
struct SourceQuestion {
    bool (*column)(Oid relation, AttrNumber column, void* context);  // 0: the whole row
    bool (*call)(FuncExpr* call, void* context);                     // null: calls are looked through
    void* context;
};

// Whether the answer is yes for any source of `expression`, which stands in the query of `level`.
bool any_source(Node* expression, QueryLevel* level, const SourceQuestion& question);

// The same for output column `column` (0: any) of a query.
bool any_source_of_output(Query* query, AttrNumber column, QueryLevel* outer, const SourceQuestion& question);

}  // namespace hoopguard::mask
