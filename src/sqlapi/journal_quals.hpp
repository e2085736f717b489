// Comparisons that a scan of the journal can use instead of reading everything.
// Planner code: it may raise, holds nothing that needs a destructor, and is called plainly by PostgreSQL's
// planner callbacks. Every comparison taken stays a filter above the scan too, so narrowing is never wrong.
#pragma once

#include "sqlapi/journal_columns.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace hoopguard::sqlapi {

// As stored in a plan: never renumber.
enum class Comparison : int { kLess = 1, kLessEqual = 2, kEqual = 3, kGreaterEqual = 4, kGreater = 5, kAny = 6 };

// A column compared with something that is known before the scan starts.
struct Qual {
    Key key;
    int column;  // from 0
    Comparison comparison;
    Expr* value;  // of the column's type; for kAny an array of it
};

// The comparison that `clause` makes between one of rel's columns and an expression without any, in `qual`.
bool recognize_qual(PlannerInfo* root, RelOptInfo* rel, Content content, Expr* clause, Qual* qual);

// Equalities with other relations' columns, on which a nested loop may ask the scan for each outer row.
List* join_equalities(PlannerInfo* root, RelOptInfo* rel, Content content);

}  // namespace hoopguard::sqlapi
