// Whether UPDATE, DELETE and MERGE name the rows they change: judged on the rewritten query before it is planned,
// because the finished plan no longer tells "id = id" from a wish for rows that are not null.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace hoopguard::classify {

// Notes for note_bounds(): which relations `query` changes without a condition that restricts their rows. A
// condition restricts when, after constant folding, it refers to the relation and is not true of every row by its
// form. NIL for a query that changes none.
List* judge_bounds(Query* query, ParamListInfo parameters);

// Puts the notes into the plan, where they are copied with it.
void note_bounds(PlannedStmt* plan, List* notes);

// The relations that the notes in `plan` name. `judged`: whether there are notes; a plan that changes rows and has
// none was not made under hoopguard's eyes.
List* unbounded_relations(const PlannedStmt* plan, bool& judged);

}  // namespace hoopguard::classify
