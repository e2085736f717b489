// The forms of foreign keys' own queries.
#include "classify/constraint_pg.hpp"

#include "pg/tree.hpp"

extern "C" {
#include "access/transam.h"
#include "miscadmin.h"
}

namespace hoopguard::classify {

namespace {

// `planned`, not null: parameters may have become constants.
bool is_foreign(Node* node, void* planned) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
        case T_Const:
            if (planned == nullptr) return true;
            break;
        case T_List:
        case T_Var:
        case T_Param:
        case T_RelabelType:
        case T_CollateExpr: break;
        case T_BoolExpr:
            if (reinterpret_cast<BoolExpr*>(node)->boolop != AND_EXPR) return true;
            break;
        case T_OpExpr:
            if (reinterpret_cast<OpExpr*>(node)->opno >= FirstNormalObjectId) return true;
            break;
        case T_FuncExpr:
            if (reinterpret_cast<FuncExpr*>(node)->funcid >= FirstNormalObjectId) return true;
            break;
        default: return true;
    }
    return pg::walk_expression(node, is_foreign, planned);
}

bool locks_keys_alone(const PlannedStmt* plan) {
    ListCell* cell;
    foreach (cell, plan->rowMarks)
        if (lfirst_node(PlanRowMark, cell)->markType != ROW_MARK_KEYSHARE) return false;
    return plan->rowMarks != NIL;
}

bool gives_a_constant(const Plan* plan) {
    ListCell* cell;
    foreach (cell, plan->targetlist) {
        auto const* const target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk && !IsA(target->expr, Const)) return false;
    }
    return true;
}

// One table, looked through by a plain condition.
bool scans_by_key(Plan* scan) {
    if (scan == nullptr || is_foreign(pg::as_node(scan->qual), scan)) return false;
    if (IsA(scan, SeqScan)) return true;
    return IsA(scan, IndexScan) &&
           !is_foreign(pg::as_node(reinterpret_cast<IndexScan*>(scan)->indexqualorig), scan);
}

}  // namespace

[[gnu::hot]] bool in_constraint_context() noexcept {
    return InNoForceRLSOperation();
}

bool is_key_condition(Node* condition) {
    return !is_foreign(condition, nullptr);
}

bool is_key_check(const PlannedStmt* plan) {
    if (!in_constraint_context() || plan->commandType != CMD_SELECT || plan->hasModifyingCTE ||
        plan->subplans != NIL || list_length(plan->rtable) != 1 || !locks_keys_alone(plan) ||
        !IsA(plan->planTree, LockRows))
        return false;
    return linitial_node(RangeTblEntry, plan->rtable)->rtekind == RTE_RELATION &&
           gives_a_constant(plan->planTree) && scans_by_key(plan->planTree->lefttree);
}

}  // namespace hoopguard::classify
