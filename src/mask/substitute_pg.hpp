// Substitution: in a rewritten query, at every level, each reference to a column that the actor may not see
// becomes a mask of it, so that the planner knows the masked value only. May raise PostgreSQL errors; holds no C++
// objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/parsenodes.h"
}

namespace hoopguard::mask {

struct Substitution {
    Query* query;          // what to plan: the query itself when there was nothing to mask
    List* dependencies;    // PlanInvalItems of functions that were inlined on the way
    bool depends_on_role;  // one of those reads a table under row-level security
    bool referential;      // left raw: see referential_pg.hpp
    bool masked;           // references may have become masks
};

// Masks `query` for the actor last looked at. The result may share parts with `query`, which the planner may
// scribble on anyway. Refuses (42501) to overwrite a classified column with a masked value.
Substitution substitute(Query* query, ParamListInfo parameters);

}  // namespace hoopguard::mask
