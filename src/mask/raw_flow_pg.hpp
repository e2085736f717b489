// How raw values of masked columns flow through a plan; the working part of plan_check_pg.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/in_force_pg.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// The state of one check.
struct Flow {
    PlannedStmt* plan;
    Index entries;                  // of the range table
    const MaskedColumns** columns;  // by range table index; null: nothing masked there
    Bitmapset** read;               // by range table index: masked columns that are read
    Bitmapset* raw_parameters;      // executor parameters that hold raw values
    Bitmapset* followed;            // sub-plans, by number
    Oid breach_relation;            // the first use of a raw value
    AttrNumber breach_column;
};

// What the special variables of a node's expressions stand for: the raw columns below.
struct Inputs {
    Bitmapset* outer;
    Bitmapset* inner;
    Bitmapset* index;  // of an index, or of a scan's own target list
    Index scan;        // the range table index of a sub-query scan, whose raw columns are:
    Bitmapset* scanned;
};

// Follows the whole plan; flow.breach_relation tells the outcome.
void follow_plan(Flow& flow);

// Below: the parts, for the file that knows the kinds of plan nodes and the one that knows expressions.

// The raw columns that `node` gives out.
Bitmapset* follow_node(Plan* node, Flow& flow);

// Notes every use of a raw value in an expression, a list or a target list.
void check_uses(void* expression, const Inputs& inputs, Flow& flow);

// Whether `node` is a raw value alone.
bool is_raw(Node* node, const Inputs& inputs, Flow& flow);

// The numbers of the entries that are raw alone; uses in the others are noted.
Bitmapset* raw_targets(List* targets, const Inputs& inputs, Flow& flow);

// The numbers of the entries that hold a raw value anywhere: for what an index or a remote server computes.
Bitmapset* tainted_targets(List* targets, const Inputs& inputs, Flow& flow);

// Notes a breach when a column of `numbers` is raw: something is sorted, grouped or compared by it, or given out.
void check_columns(const AttrNumber* numbers, int count, const Bitmapset* raw, Flow& flow);
void check_outputs(List* targets, const Bitmapset* raw, Flow& flow);

// Notes parameters that pass raw values on; uses in the others are noted.
void pass_parameter(int parameter, Node* value, const Inputs& inputs, Flow& flow);

}  // namespace hoopguard::mask
