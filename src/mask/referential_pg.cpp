// The forms of ri_triggers.c: SELECT 1 FROM ONLY t WHERE c = $1 FOR KEY SHARE, DELETE FROM ONLY t WHERE $1 = c,
// UPDATE ONLY t SET c = $1 WHERE $2 = c. All that a forgery could learn is whether a value is there, which a
// foreign key tells anyway.
#include "mask/referential_pg.hpp"

#include "classify/constraint_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace hoopguard::mask {

namespace {

bool gives_columns(const Query* query) {
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk && contain_var_clause(pg::as_node(target->expr))) return true;
    }
    return false;
}

}  // namespace

[[gnu::hot]] bool is_referential(const Query* query) {
    if (!classify::in_constraint_context()) return false;
    bool const kind =
        query->commandType == CMD_SELECT || query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE;
    if (!kind || list_length(query->rtable) != 1 || query->returningList != NIL || query->cteList != NIL ||
        query->hasSubLinks || query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs ||
        query->setOperations != nullptr)
        return false;
    auto* entry = linitial_node(RangeTblEntry, query->rtable);
    if (entry->rtekind != RTE_RELATION || entry->securityQuals != NIL || query->withCheckOptions != NIL)
        return false;
    return !gives_columns(query) && classify::is_key_condition(query->jointree->quals);
}

}  // namespace hoopguard::mask
