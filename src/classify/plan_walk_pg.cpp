// Every node of the plan and of its subplans, with every expression that the node holds.
#include "classify/plan_walk_pg.hpp"

#include "classify/calls_pg.hpp"
#include "pg/tree.hpp"

namespace hoopguard::classify {

namespace {

[[gnu::hot]] bool note_function(Oid function, void* context) {
    auto& facts = *static_cast<PlanFacts*>(context);
    facts.functions = list_append_unique_oid(facts.functions, function);
    return false;
}

[[gnu::hot]] bool visit_expression(Node* node, void* context) {
    if (node == nullptr || pg::is_leaf(node)) return false;
    auto& facts = *static_cast<PlanFacts*>(context);
    (void)check_functions_in_node(node, note_function, context);
    if (IsA(node, FuncExpr)) {
        auto* const call = reinterpret_cast<FuncExpr*>(node);
        if (call->args != NIL && exprType(static_cast<Node*>(linitial(call->args))) == TEXTOID)
            facts.setting_calls = lappend(facts.setting_calls, call);
        if (privileges_on_sequence(call->funcid) != 0) facts.sequence_calls = lappend(facts.sequence_calls, call);
    }
    return pg::walk_expression(node, visit_expression, context);
}

template <class Tree>
void look_at(const Tree* tree, PlanFacts& facts) {
    visit_expression(pg::as_node(tree), &facts);
}

void visit_node(Plan* node, PlanFacts& facts);

void visit_all(List* plans, PlanFacts& facts) {
    ListCell* cell;
    foreach (cell, plans) visit_node(static_cast<Plan*>(lfirst(cell)), facts);
}

void visit_scan(Plan* node, PlanFacts& facts) {
    auto const note_scan = [&] {
        auto const index = reinterpret_cast<Scan*>(node)->scanrelid;
        if (index > 0) facts.scanned = bms_add_member(facts.scanned, static_cast<int>(index));
    };
    switch (nodeTag(node)) {
        case T_SeqScan:
        case T_BitmapIndexScan: note_scan(); break;
        case T_SampleScan:
            note_scan();
            look_at(reinterpret_cast<SampleScan*>(node)->tablesample, facts);
            break;
        case T_IndexScan:
            note_scan();
            look_at(reinterpret_cast<IndexScan*>(node)->indexqualorig, facts);
            look_at(reinterpret_cast<IndexScan*>(node)->indexorderbyorig, facts);
            break;
        case T_IndexOnlyScan:
            note_scan();
            look_at(reinterpret_cast<IndexOnlyScan*>(node)->indexqual, facts);
            look_at(reinterpret_cast<IndexOnlyScan*>(node)->indexorderby, facts);
            break;
        case T_BitmapHeapScan:
            note_scan();
            look_at(reinterpret_cast<BitmapHeapScan*>(node)->bitmapqualorig, facts);
            break;
        case T_TidScan:
            note_scan();
            look_at(reinterpret_cast<TidScan*>(node)->tidquals, facts);
            break;
        case T_TidRangeScan:
            note_scan();
            look_at(reinterpret_cast<TidRangeScan*>(node)->tidrangequals, facts);
            break;
        case T_SubqueryScan: visit_node(reinterpret_cast<SubqueryScan*>(node)->subplan, facts); break;
        case T_FunctionScan: look_at(reinterpret_cast<FunctionScan*>(node)->functions, facts); break;
        case T_ValuesScan: look_at(reinterpret_cast<ValuesScan*>(node)->values_lists, facts); break;
        case T_TableFuncScan: look_at(reinterpret_cast<TableFuncScan*>(node)->tablefunc, facts); break;
        case T_ForeignScan: {
            auto const* const scan = reinterpret_cast<ForeignScan*>(node);
            // A pushed-down join has no single relation; its members are in fs_relids.
            facts.scanned = bms_add_members(facts.scanned, scan->fs_relids);
            look_at(scan->fdw_exprs, facts);
            look_at(scan->fdw_recheck_quals, facts);
            break;
        }
        case T_CustomScan: {
            auto const* const scan = reinterpret_cast<CustomScan*>(node);
            note_scan();
            visit_all(scan->custom_plans, facts);
            look_at(scan->custom_exprs, facts);
            break;
        }
        default: break;
    }
}

void visit_rest(Plan* node, PlanFacts& facts) {
    switch (nodeTag(node)) {
        case T_Append: visit_all(reinterpret_cast<Append*>(node)->appendplans, facts); break;
        case T_MergeAppend: visit_all(reinterpret_cast<MergeAppend*>(node)->mergeplans, facts); break;
        case T_BitmapAnd: visit_all(reinterpret_cast<BitmapAnd*>(node)->bitmapplans, facts); break;
        case T_BitmapOr: visit_all(reinterpret_cast<BitmapOr*>(node)->bitmapplans, facts); break;
        case T_Result: look_at(reinterpret_cast<Result*>(node)->resconstantqual, facts); break;
        case T_NestLoop: look_at(reinterpret_cast<Join*>(node)->joinqual, facts); break;
        case T_MergeJoin:
            look_at(reinterpret_cast<Join*>(node)->joinqual, facts);
            look_at(reinterpret_cast<MergeJoin*>(node)->mergeclauses, facts);
            break;
        case T_HashJoin:
            look_at(reinterpret_cast<Join*>(node)->joinqual, facts);
            look_at(reinterpret_cast<HashJoin*>(node)->hashclauses, facts);
            break;
        case T_WindowAgg:
            look_at(reinterpret_cast<WindowAgg*>(node)->startOffset, facts);
            look_at(reinterpret_cast<WindowAgg*>(node)->endOffset, facts);
            break;
        case T_Limit:
            look_at(reinterpret_cast<Limit*>(node)->limitOffset, facts);
            look_at(reinterpret_cast<Limit*>(node)->limitCount, facts);
            break;
        case T_ModifyTable: {
            auto* const modify = reinterpret_cast<ModifyTable*>(node);
            facts.modifications = lappend(facts.modifications, modify);
            look_at(modify->withCheckOptionLists, facts);
            look_at(modify->returningLists, facts);
            look_at(modify->onConflictSet, facts);
            look_at(modify->onConflictWhere, facts);
            look_at(modify->mergeActionLists, facts);
            break;
        }
        default: break;
    }
}

[[gnu::hot]] void visit_node(Plan* node, PlanFacts& facts) {
    if (node == nullptr) return;
    check_stack_depth();
    look_at(node->targetlist, facts);
    look_at(node->qual, facts);
    visit_scan(node, facts);
    visit_rest(node, facts);
    visit_node(node->lefttree, facts);
    visit_node(node->righttree, facts);
}

}  // namespace

[[gnu::hot]] void gather(const PlannedStmt* plan, PlanFacts& facts) {
    visit_node(plan->planTree, facts);
    visit_all(plan->subplans, facts);
}

}  // namespace hoopguard::classify
