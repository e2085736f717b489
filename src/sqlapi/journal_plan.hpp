// The planner's callbacks of the journal's foreign data wrapper, and what they leave in a plan.
//
// A plan's fdw_private is a list of three integer lists: the content; the columns in use, from 0; and for each
// comparison handed down its Key, column and Comparison. fdw_exprs holds the comparisons' values in that order.
#pragma once

#include "sqlapi/journal_quals.hpp"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace hoopguard::sqlapi {

// What a foreign table of ours shows. May raise.
Content content_of(Oid foreign_table);

}  // namespace hoopguard::sqlapi

extern "C" {
void hoopguard_GetForeignRelSize(PlannerInfo* root, RelOptInfo* rel, Oid table);
void hoopguard_GetForeignPaths(PlannerInfo* root, RelOptInfo* rel, Oid table);
ForeignScan* hoopguard_GetForeignPlan(PlannerInfo* root, RelOptInfo* rel, Oid table, ForeignPath* path,
                                      List* targets, List* clauses, Plan* outer);
// Bytes in the journal's segments, for estimates; 0 when they cannot be told.
double hoopguard_journal_bytes(void);
}
