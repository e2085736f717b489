// Raw values through each kind of plan node. A kind that is not named here has expressions in its target list and
// condition only; if a newer PostgreSQL gives one more, a raw value there is seen where its column comes out.
#include "mask/node_pg.hpp"
#include "mask/raw_flow_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "nodes/bitmapset.h"
}

namespace hoopguard::mask {

namespace {

Bitmapset* follow_all(List* plans, Flow& flow) {
    Bitmapset* raw = nullptr;
    ListCell* cell;
    foreach (cell, plans) raw = bms_join(raw, bms_copy(follow_node(static_cast<Plan*>(lfirst(cell)), flow)));
    return raw;
}

// The recheck of a partial index repeats its predicate. The planner used the index because the masked condition
// implies that: of a masked column only that it is not null, which the mask shows too.
void check_recheck(List* conditions, const Inputs& inputs, Flow& flow) {
    ListCell* cell;
    foreach (cell, conditions) {
        auto* node = static_cast<Node*>(lfirst(cell));
        bool const not_null = IsA(node, NullTest) && castNode(NullTest, node)->nulltesttype == IS_NOT_NULL;
        if (!not_null || !is_raw(pg::as_node(castNode(NullTest, node)->arg), inputs, flow))
            check_uses(node, inputs, flow);
    }
}

void check_scan(Plan* node, Inputs& inputs, Flow& flow) {
    switch (nodeTag(node)) {
        case T_SampleScan: check_uses(reinterpret_cast<SampleScan*>(node)->tablesample, inputs, flow); break;
        case T_IndexScan: {
            auto* scan = reinterpret_cast<IndexScan*>(node);
            check_uses(scan->indexqualorig, inputs, flow);
            check_uses(scan->indexorderbyorig, inputs, flow);
            break;
        }
        case T_IndexOnlyScan: {
            auto* scan = reinterpret_cast<IndexOnlyScan*>(node);
            inputs.index = tainted_targets(scan->indextlist, inputs, flow);
            check_uses(scan->indexqual, inputs, flow);
            check_uses(scan->recheckqual, inputs, flow);
            check_uses(scan->indexorderby, inputs, flow);
            break;
        }
        case T_BitmapIndexScan:
            check_uses(reinterpret_cast<BitmapIndexScan*>(node)->indexqualorig, inputs, flow);
            break;
        case T_BitmapHeapScan:
            check_recheck(reinterpret_cast<BitmapHeapScan*>(node)->bitmapqualorig, inputs, flow);
            break;
        case T_TidScan: check_uses(reinterpret_cast<TidScan*>(node)->tidquals, inputs, flow); break;
        case T_TidRangeScan: check_uses(reinterpret_cast<TidRangeScan*>(node)->tidrangequals, inputs, flow); break;
        case T_SubqueryScan: {
            auto* scan = reinterpret_cast<SubqueryScan*>(node);
            inputs.scan = scan->scan.scanrelid;
            inputs.scanned = follow_node(scan->subplan, flow);
            break;
        }
        case T_FunctionScan: check_uses(reinterpret_cast<FunctionScan*>(node)->functions, inputs, flow); break;
        case T_ValuesScan: check_uses(reinterpret_cast<ValuesScan*>(node)->values_lists, inputs, flow); break;
        case T_TableFuncScan: check_uses(reinterpret_cast<TableFuncScan*>(node)->tablefunc, inputs, flow); break;
        case T_ForeignScan: {
            auto* scan = reinterpret_cast<ForeignScan*>(node);
            check_uses(scan->fdw_exprs, inputs, flow);
            inputs.index = tainted_targets(scan->fdw_scan_tlist, inputs, flow);
            check_uses(scan->fdw_recheck_quals, inputs, flow);
            break;
        }
        case T_CustomScan: {
            auto* scan = reinterpret_cast<CustomScan*>(node);
            // It masks what its list says, and hands the rest on as it is.
            if (is_mask_node(scan)) {
                inputs.index = raw_targets(scan->custom_scan_tlist, inputs, flow);
                break;
            }
            follow_all(scan->custom_plans, flow);
            check_uses(scan->custom_exprs, inputs, flow);
            inputs.index = tainted_targets(scan->custom_scan_tlist, inputs, flow);
            break;
        }
        default: break;
    }
}

void check_aggregate(const Agg* node, const Inputs& inputs, Flow& flow) {
    check_columns(node->grpColIdx, node->numCols, inputs.outer, flow);
    ListCell* cell;
    foreach (cell, node->chain) {
        auto* link = lfirst_node(Agg, cell);
        check_columns(link->grpColIdx, link->numCols, inputs.outer, flow);
        if (link->plan.lefttree == nullptr || !IsA(link->plan.lefttree, Sort)) continue;
        auto* sort = castNode(Sort, link->plan.lefttree);
        check_columns(sort->sortColIdx, sort->numCols, inputs.outer, flow);
    }
}

// Conditions and keys that stand beside the target list.
void check_keys(Plan* node, const Inputs& inputs, Flow& flow) {
    switch (nodeTag(node)) {
        case T_NestLoop: check_uses(reinterpret_cast<Join*>(node)->joinqual, inputs, flow); break;
        case T_MergeJoin:
            check_uses(reinterpret_cast<Join*>(node)->joinqual, inputs, flow);
            check_uses(reinterpret_cast<MergeJoin*>(node)->mergeclauses, inputs, flow);
            break;
        case T_HashJoin:
            check_uses(reinterpret_cast<Join*>(node)->joinqual, inputs, flow);
            check_uses(reinterpret_cast<HashJoin*>(node)->hashclauses, inputs, flow);
            check_uses(reinterpret_cast<HashJoin*>(node)->hashkeys, inputs, flow);
            break;
        case T_Hash: check_uses(reinterpret_cast<Hash*>(node)->hashkeys, inputs, flow); break;
        case T_Result: check_uses(reinterpret_cast<Result*>(node)->resconstantqual, inputs, flow); break;
        case T_Agg: check_aggregate(reinterpret_cast<Agg*>(node), inputs, flow); break;
        case T_Group: {
            auto* group = reinterpret_cast<Group*>(node);
            check_columns(group->grpColIdx, group->numCols, inputs.outer, flow);
            break;
        }
        case T_Unique: {
            auto* unique = reinterpret_cast<Unique*>(node);
            check_columns(unique->uniqColIdx, unique->numCols, inputs.outer, flow);
            break;
        }
        case T_SetOp: {
            auto* operation = reinterpret_cast<SetOp*>(node);
            check_columns(pg::set_operation_columns(operation), operation->numCols, inputs.outer, flow);
            break;
        }
        case T_WindowAgg: {
            auto* window = reinterpret_cast<WindowAgg*>(node);
            check_columns(window->partColIdx, window->partNumCols, inputs.outer, flow);
            check_columns(window->ordColIdx, window->ordNumCols, inputs.outer, flow);
            check_uses(window->startOffset, inputs, flow);
            check_uses(window->endOffset, inputs, flow);
            check_uses(window->runCondition, inputs, flow);
            break;
        }
        case T_Limit: {
            auto* limit = reinterpret_cast<Limit*>(node);
            check_uses(limit->limitOffset, inputs, flow);
            check_uses(limit->limitCount, inputs, flow);
            check_columns(limit->uniqColIdx, limit->uniqNumCols, inputs.outer, flow);
            break;
        }
        case T_RecursiveUnion: {
            auto* recursion = reinterpret_cast<RecursiveUnion*>(node);
            check_columns(recursion->dupColIdx, recursion->numCols, inputs.outer, flow);
            break;
        }
        default: break;
    }
}

void check_sort_keys(Plan* node, const Bitmapset* raw, Flow& flow) {
    if (IsA(node, Sort) || IsA(node, IncrementalSort)) {
        auto* sort = reinterpret_cast<Sort*>(node);
        check_columns(sort->sortColIdx, sort->numCols, raw, flow);
    } else if (IsA(node, MergeAppend)) {
        auto* append = castNode(MergeAppend, node);
        check_columns(append->sortColIdx, append->numCols, raw, flow);
    } else if (IsA(node, GatherMerge)) {
        auto* gather = castNode(GatherMerge, node);
        check_columns(gather->sortColIdx, gather->numCols, raw, flow);
    }
}

// What is written, checked and returned. New values are the child's columns that are not junk.
void check_modification(ModifyTable* node, const Inputs& inputs, Flow& flow) {
    if (node->plan.lefttree != nullptr) check_outputs(node->plan.lefttree->targetlist, inputs.outer, flow);
    check_uses(node->withCheckOptionLists, inputs, flow);
    check_uses(node->returningLists, inputs, flow);
    Inputs const own_values = {};
    check_uses(node->onConflictSet, own_values, flow);
    check_uses(node->onConflictWhere, own_values, flow);
    Inputs source = inputs;
    source.inner = inputs.outer;
    check_uses(node->mergeActionLists, source, flow);
}

void follow_initial_plans(List* links, Flow& flow) {
    ListCell* cell;
    Inputs const nothing = {};
    foreach (cell, links) check_uses(lfirst(cell), nothing, flow);
}

Inputs follow_children(Plan* node, Flow& flow) {
    Inputs inputs = {};
    if (IsA(node, Append))
        inputs.outer = follow_all(castNode(Append, node)->appendplans, flow);
    else if (IsA(node, MergeAppend))
        inputs.outer = follow_all(castNode(MergeAppend, node)->mergeplans, flow);
    else if (IsA(node, BitmapAnd))
        follow_all(castNode(BitmapAnd, node)->bitmapplans, flow);
    else if (IsA(node, BitmapOr))
        follow_all(castNode(BitmapOr, node)->bitmapplans, flow);
    if (node->lefttree != nullptr) inputs.outer = follow_node(node->lefttree, flow);
    if (IsA(node, NestLoop)) {
        ListCell* cell;
        foreach (cell, castNode(NestLoop, node)->nestParams) {
            auto* parameter = lfirst_node(NestLoopParam, cell);
            pass_parameter(parameter->paramno, pg::as_node(parameter->paramval), inputs, flow);
        }
    }
    if (node->righttree != nullptr) inputs.inner = follow_node(node->righttree, flow);
    if (IsA(node, RecursiveUnion)) inputs.outer = bms_union(inputs.outer, inputs.inner);
    return inputs;
}

}  // namespace

Bitmapset* follow_node(Plan* node, Flow& flow) {
    check_stack_depth();
    follow_initial_plans(node->initPlan, flow);
    Inputs inputs = follow_children(node, flow);
    if (IsA(node, ModifyTable)) {
        check_modification(castNode(ModifyTable, node), inputs, flow);
        return nullptr;
    }
    check_scan(node, inputs, flow);
    check_keys(node, inputs, flow);
    check_uses(node->qual, inputs, flow);
    Bitmapset* raw = raw_targets(node->targetlist, inputs, flow);
    check_sort_keys(node, raw, flow);
    return raw;
}

void follow_plan(Flow& flow) {
    check_outputs(flow.plan->planTree->targetlist, follow_node(flow.plan->planTree, flow), flow);
    // What no expression named, but a node that hides its expressions may run.
    for (int i = 1; i <= list_length(flow.plan->subplans); ++i) {
        auto* plan = static_cast<Plan*>(list_nth(flow.plan->subplans, i - 1));
        if (plan != nullptr && !bms_is_member(i, flow.followed))
            check_outputs(plan->targetlist, follow_node(plan, flow), flow);
    }
}

}  // namespace hoopguard::mask
