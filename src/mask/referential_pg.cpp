// The forms of ri_triggers.c: SELECT 1 FROM ONLY t WHERE c = $1 FOR KEY SHARE, DELETE FROM ONLY t WHERE $1 = c,
// UPDATE ONLY t SET c = $1 WHERE $2 = c. All that a forgery could learn is whether a value is there, which a
// foreign key tells anyway.
#include "mask/referential_pg.hpp"

#include "pg/tree.hpp"

extern "C" {
#include "access/transam.h"
#include "optimizer/optimizer.h"
}

namespace hoopguard::mask {

namespace {

// Whether a node stands in no condition that PostgreSQL writes for a constraint.
bool is_foreign(Node* node, void* context) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
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
    return pg::walk_expression(node, is_foreign, context);
}

bool gives_columns(const Query* query) {
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk && contain_var_clause(pg::as_node(target->expr))) return true;
    }
    return false;
}

}  // namespace

bool in_referential_context() {
    return InNoForceRLSOperation();
}

bool is_referential(const Query* query) {
    if (!in_referential_context()) return false;
    bool const kind =
        query->commandType == CMD_SELECT || query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE;
    if (!kind || list_length(query->rtable) != 1 || query->returningList != NIL || query->cteList != NIL ||
        query->hasSubLinks || query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs ||
        query->setOperations != nullptr)
        return false;
    auto* entry = linitial_node(RangeTblEntry, query->rtable);
    if (entry->rtekind != RTE_RELATION || entry->securityQuals != NIL || query->withCheckOptions != NIL)
        return false;
    return !gives_columns(query) && !is_foreign(query->jointree->quals, nullptr);
}

}  // namespace hoopguard::mask
