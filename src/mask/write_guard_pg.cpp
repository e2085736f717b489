// The guard follows values by lineage; what a function computes from a query of its own is out of its sight.
#include "mask/write_guard_pg.hpp"

#include "mask/mask_call_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

namespace {

bool is_mask(FuncExpr* call, void*) {
    return kind_of(call) == CallKind::kMask;
}

bool no_column(Oid, AttrNumber, void*) {
    return false;
}

constexpr SourceQuestion kIsMasked = {no_column, is_mask, nullptr};

[[noreturn]] void refuse(Oid relation, const char* column, const char* data_class) {
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("column \"%s\" of \"%s\" cannot be set from a masked value", column, get_rel_name(relation)),
             data_class != nullptr
                 ? errdetail("Data class \"%s\" is masked for you: the mask would overwrite the real value.",
                             data_class)
                 : errdetail("It is masked for you: the mask would overwrite the real value."),
             errhint("Set it to a value of your own, or leave it out.")));
}

void guard_assignments(List* targets, Oid relation, const MaskedColumns* columns, QueryLevel* level) {
    ListCell* cell;
    foreach (cell, targets) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (target->resjunk) continue;
        const MaskedColumn* column = columns->find(target->resno);
        if (column != nullptr && any_source(pg::as_node(target->expr), level, kIsMasked))
            refuse(relation, get_attname(relation, target->resno, false), column->data_class);
    }
}

bool assigns(List* targets, AttrNumber column) {
    ListCell* cell;
    foreach (cell, targets) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk && target->resno == column) return true;
    }
    return false;
}

// An INSTEAD OF trigger gets a new row whose unassigned columns are what the view shows.
void guard_view_row(QueryLevel* level, Oid view) {
    ListCell* cell;
    foreach (cell, level->query->targetList) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk || !IsA(target->expr, Var)) continue;
        auto* row = reinterpret_cast<Var*>(target->expr);
        if (row->varattno != 0 || row->varlevelsup != 0) continue;
        RangeTblEntry* entry = rt_fetch(row->varno, level->query->rtable);
        if (entry->rtekind != RTE_SUBQUERY) continue;
        ListCell* output;
        foreach (output, entry->subquery->targetList) {
            auto* shown = lfirst_node(TargetEntry, output);
            if (shown->resjunk || assigns(level->query->targetList, shown->resno)) continue;
            if (any_source_of_output(entry->subquery, shown->resno, level, kIsMasked))
                refuse(view, shown->resname, nullptr);
        }
    }
}

}  // namespace

void guard_writes(QueryLevel* level) {
    const Query* query = level->query;
    if (query->resultRelation == 0) return;
    const RangeTblEntry* target = rt_fetch(query->resultRelation, query->rtable);
    if (target->relkind == RELKIND_VIEW) {
        if (query->commandType == CMD_UPDATE) guard_view_row(level, target->relid);
        return;
    }
    const MaskedColumns* columns = masked_columns(target->relid);
    if (columns == nullptr) return;
    if (query->commandType == CMD_UPDATE) guard_assignments(query->targetList, target->relid, columns, level);
    if (query->onConflict != nullptr)
        guard_assignments(query->onConflict->onConflictSet, target->relid, columns, level);
    ListCell* cell;
    foreach (cell, query->mergeActionList) {
        auto* action = lfirst_node(MergeAction, cell);
        if (action->commandType == CMD_UPDATE)
            guard_assignments(action->targetList, target->relid, columns, level);
    }
}

}  // namespace hoopguard::mask
