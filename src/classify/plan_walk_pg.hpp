// One walk over a finished plan that gathers what a footprint is made of.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/bitmapset.h"
#include "nodes/plannodes.h"
}

namespace hoopguard::classify {

// Plain data in the current memory context.
struct PlanFacts {
    Bitmapset* scanned = nullptr;  // range table indexes that are scanned
    List* modifications = NIL;     // ModifyTable nodes
    List* functions = NIL;         // OIDs of functions called, each once
    List* setting_calls = NIL;     // FuncExpr nodes whose first argument is a text
    List* sequence_calls = NIL;    // FuncExpr nodes of nextval() and its like
};

void gather(const PlannedStmt* plan, PlanFacts& facts);

}  // namespace hoopguard::classify
