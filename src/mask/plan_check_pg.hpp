// The check of finished plans: follows every masked column from the scan that reads it through each node's columns
// and parameters, and finds where its raw value is used, compared, sorted by or given out unmasked.
// It knows nothing of how masks were put in, so that a fault there, or a plan from another day, cannot pass.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

struct PlanCheck {
    // A masked column that the plan would show: its table's OID and number; InvalidOid when there is none.
    Oid breach_relation;
    AttrNumber breach_column;
    // The masked columns that the plan reads, as "schema.table.column": a list of C strings, each once. A child's
    // column counts as its parent's when the statement names the parent.
    List* masked;
};

// Checks `plan` for the actor last looked at.
PlanCheck check_plan(PlannedStmt* plan);

// The columns that would be masked if masks were enforced, by the privileges that the plan needs: names as above.
List* observe_plan(PlannedStmt* plan);

// Whether the plan reads any relation with a classified column.
bool reads_classified(const PlannedStmt* plan);

}  // namespace hoopguard::mask
