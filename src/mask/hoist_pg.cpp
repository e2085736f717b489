// From the top through nodes that hand rows on as they are (Limit, Sort, Gather, Append, …) to the first one that
// computes columns. There its masked columns are handed on raw, and HoopMask above it masks them: before any sort,
// join or comparison sees them, exactly where the calls did.
//
// Not below a merge join or anything else that marks and restores; not where it would keep the bound of a LIMIT
// from a sort (ExecSetTupleBound knows no custom scan); not under row locks; not over scans that run
// asynchronously; not for a cursor over plain scans, which UPDATE … WHERE CURRENT OF may look for.
#include "mask/hoist_pg.hpp"

#include "mask/in_force_pg.hpp"
#include "mask/mask_call_pg.hpp"
#include "mask/node_pg.hpp"
#include "pg/settings.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/relation.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

struct Hoisting {
    PlannedStmt* plan;
    bool joins_only;
    int last_id;  // of the plan's nodes; 0: not looked for yet
};

// The mask call that is all of an expression, whatever it is relabelled to; null: it is none.
FuncExpr* whole_mask(Expr* expression) {
    if (expression != nullptr && IsA(expression, RelabelType)) expression = castNode(RelabelType, expression)->arg;
    if (expression == nullptr || !IsA(expression, FuncExpr)) return nullptr;
    auto* call = castNode(FuncExpr, expression);
    return is_value_mask(call) && IsA(linitial(call->args), Var) ? call : nullptr;
}

bool has_whole_mask(List* targets) {
    ListCell* cell;
    foreach (cell, targets)
        if (whole_mask(lfirst_node(TargetEntry, cell)->expr) != nullptr) return true;
    return false;
}

void note_ids(Plan* node, int* last);

void note_ids(List* nodes, int* last) {
    ListCell* cell;
    foreach (cell, nodes) note_ids(static_cast<Plan*>(lfirst(cell)), last);
}

void note_ids(Plan* node, int* last) {
    if (node == nullptr) return;
    check_stack_depth();
    if (node->plan_node_id > *last) *last = node->plan_node_id;
    note_ids(node->lefttree, last);
    note_ids(node->righttree, last);
    switch (nodeTag(node)) {
        case T_Append: return note_ids(castNode(Append, node)->appendplans, last);
        case T_MergeAppend: return note_ids(castNode(MergeAppend, node)->mergeplans, last);
        case T_BitmapAnd: return note_ids(castNode(BitmapAnd, node)->bitmapplans, last);
        case T_BitmapOr: return note_ids(castNode(BitmapOr, node)->bitmapplans, last);
        case T_SubqueryScan: return note_ids(castNode(SubqueryScan, node)->subplan, last);
        case T_CustomScan: return note_ids(castNode(CustomScan, node)->custom_plans, last);
        default: return;
    }
}

int next_id(Hoisting& hoisting) {
    if (hoisting.last_id == 0) {
        note_ids(hoisting.plan->planTree, &hoisting.last_id);
        note_ids(hoisting.plan->subplans, &hoisting.last_id);
    }
    return ++hoisting.last_id;
}

bool is_join(const Plan* node) {
    return IsA(node, NestLoop) || IsA(node, HashJoin) || IsA(node, MergeJoin);
}

bool computes_columns(const Plan* node) {
    switch (nodeTag(node)) {
        case T_SeqScan:
        case T_SampleScan:
        case T_IndexScan:
        case T_BitmapHeapScan:
        case T_TidScan:
        case T_TidRangeScan:
        case T_SubqueryScan:
        case T_WindowAgg: return true;
        case T_Result: return node->lefttree != nullptr;
        default: return is_join(node);
    }
}

// Whether the bound of a LIMIT above would reach a sort below by way of this node.
bool passes_bound(const Plan* node) {
    return (IsA(node, Result) || IsA(node, SubqueryScan)) && node->qual == NIL;
}

bool is_heap_scan(const Plan* node) {
    return IsA(node, SeqScan) || IsA(node, IndexScan) || IsA(node, BitmapHeapScan);
}

// The column of the scanned table that a target is, masked or not; 0: it is something else.
AttrNumber scanned_column(Expr* expression, Index scanned) {
    FuncExpr* mask = whole_mask(expression);
    Node* value = mask != nullptr ? static_cast<Node*>(linitial(mask->args)) : pg::as_node(expression);
    if (!IsA(value, Var)) return 0;
    auto* var = castNode(Var, value);
    return static_cast<Index>(var->varno) == scanned && var->varattno > 0 ? var->varattno : AttrNumber{0};
}

// The table's columns as they are stored, so that the scan below need not build a row of its own; NIL where that
// does not do, or would read masked columns that nobody asked for.
List* stored_row(Plan* scan, const Hoisting& hoisting) {
    Index const scanned = reinterpret_cast<Scan*>(scan)->scanrelid;
    const RangeTblEntry* entry = rt_fetch(scanned, hoisting.plan->rtable);
    Bitmapset* wanted = nullptr;
    ListCell* cell;
    foreach (cell, scan->targetlist) {
        AttrNumber const column = scanned_column(lfirst_node(TargetEntry, cell)->expr, scanned);
        if (column == 0) return NIL;
        wanted = bms_add_member(wanted, column);
    }
    const MaskedColumns* masked = masked_columns(entry->relid);
    for (int i = 0; masked != nullptr && i < masked->count; ++i)
        if (!bms_is_member(masked->columns[i].number, wanted)) return NIL;
    Relation relation = relation_open(entry->relid, NoLock);
    TupleDesc const row = RelationGetDescr(relation);
    List* targets = NIL;
    for (AttrNumber number = 1; number <= row->natts; ++number) {
        Form_pg_attribute column = TupleDescAttr(row, number - 1);
        if (column->attisdropped || column->atthasmissing) {
            targets = NIL;
            break;
        }
        Var* var = makeVar(static_cast<int>(scanned), number, column->atttypid, column->atttypmod,
                           column->attcollation, 0);
        targets = lappend(targets, makeTargetEntry(reinterpret_cast<Expr*>(var), number, nullptr, false));
    }
    relation_close(relation, NoLock);
    return targets;
}

Expr* input(AttrNumber column, Node* like) {
    return reinterpret_cast<Expr*>(
        makeVar(OUTER_VAR, column, exprType(like), exprTypmod(like), exprCollation(like), 0));
}

// The same mask over a column of the node below.
Expr* mask_of_input(Expr* target, AttrNumber column) {
    auto* copy = static_cast<Expr*>(pg::copy_tree(target));
    FuncExpr* call = whole_mask(copy);
    linitial(call->args) = input(column, static_cast<Node*>(linitial(call->args)));
    return copy;
}

Plan* put_above(Plan* below, Hoisting& hoisting) {
    bool const backward = ExecSupportsBackwardScan(below);
    List* const stored = is_heap_scan(below) ? stored_row(below, hoisting) : NIL;
    Index const scanned = stored != NIL ? reinterpret_cast<Scan*>(below)->scanrelid : 0;
    List *inputs = NIL, *masks = NIL, *outputs = NIL;
    ListCell* cell;
    foreach (cell, below->targetlist) {
        auto* target = lfirst_node(TargetEntry, cell);
        FuncExpr* mask = whole_mask(target->expr);
        AttrNumber const source = stored != NIL ? scanned_column(target->expr, scanned) : target->resno;
        masks = lappend(masks, makeTargetEntry(mask != nullptr ? mask_of_input(target->expr, source)
                                                               : input(source, pg::as_node(target->expr)),
                                               target->resno, target->resname, false));
        TargetEntry* output = flatCopyTargetEntry(target);
        Node* const value = pg::as_node(target->expr);
        output->expr = reinterpret_cast<Expr*>(
            makeVar(INDEX_VAR, target->resno, exprType(value), exprTypmod(value), exprCollation(value), 0));
        outputs = lappend(outputs, output);
        TargetEntry* raw = flatCopyTargetEntry(target);
        if (mask != nullptr) raw->expr = static_cast<Expr*>(linitial(mask->args));
        inputs = lappend(inputs, raw);
    }
    below->targetlist = stored != NIL ? stored : inputs;
    return make_mask_node(below, masks, outputs, backward, next_id(hoisting));
}

Plan* hoist_in(Plan* node, bool bounded, Hoisting& hoisting);

void hoist_in_all(List* nodes, bool bounded, Hoisting& hoisting) {
    ListCell* cell;
    foreach (cell, nodes) {
        auto* node = static_cast<Plan*>(lfirst(cell));
        if (!node->async_capable) lfirst(cell) = hoist_in(node, bounded, hoisting);
    }
}

Plan* hoist_in(Plan* node, bool bounded, Hoisting& hoisting) {
    check_stack_depth();
    if (computes_columns(node) && has_whole_mask(node->targetlist)) {
        bool const here = (!hoisting.joins_only || is_join(node)) && !(bounded && passes_bound(node));
        return here ? put_above(node, hoisting) : node;
    }
    switch (nodeTag(node)) {
        case T_Limit: node->lefttree = hoist_in(node->lefttree, true, hoisting); break;
        case T_Gather:
        case T_GatherMerge: node->lefttree = hoist_in(node->lefttree, bounded, hoisting); break;
        case T_Sort:
        case T_IncrementalSort:
        case T_Unique:
        case T_Material: node->lefttree = hoist_in(node->lefttree, false, hoisting); break;
        case T_Append: hoist_in_all(castNode(Append, node)->appendplans, bounded, hoisting); break;
        case T_MergeAppend: hoist_in_all(castNode(MergeAppend, node)->mergeplans, bounded, hoisting); break;
        case T_SubqueryScan: {
            auto* scan = castNode(SubqueryScan, node);
            scan->subplan = hoist_in(scan->subplan, bounded, hoisting);
            break;
        }
        default: break;
    }
    return node;
}

}  // namespace

void hoist(PlannedStmt* plan, int options) {
    if (!pg::settings.mask_node || plan->commandType != CMD_SELECT || plan->rowMarks != NIL ||
        plan->hasModifyingCTE)
        return;
    Hoisting hoisting = {plan, (options & CURSOR_OPT_FAST_PLAN) != 0, 0};
    plan->planTree = hoist_in(plan->planTree, false, hoisting);
}

}  // namespace hoopguard::mask
