// Raw columns of a node's output are a Bitmapset of target numbers. A raw value may only stand alone in a target
// list (it flows on), be the argument of a mask, or be passed alone as a parameter. Junk columns never leave the
// executor.
#include "mask/plan_check_pg.hpp"

#include "mask/labels_pg.hpp"
#include "mask/mask_call_pg.hpp"
#include "mask/raw_flow_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/sysattr.h"
#include "nodes/bitmapset.h"
#include "nodes/pathnodes.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

namespace {

// The relation and column that the statement named, where the plan reads a child of it.
void to_named_parent(const PlannedStmt* plan, Index& entry, AttrNumber& column) {
    for (bool moved = true; moved;) {
        moved = false;
        ListCell* cell;
        foreach (cell, plan->appendRelations) {
            auto* link = lfirst_node(AppendRelInfo, cell);
            if (link->child_relid != entry || !OidIsValid(link->parent_reloid)) continue;
            if (column < 1 || column > link->num_child_cols || link->parent_colnos[column - 1] <= 0) continue;
            column = link->parent_colnos[column - 1];
            entry = link->parent_relid;
            moved = true;
        }
    }
}

// Adds "schema.table.column" unless it is there.
List* add_name(List* names, Oid relation, AttrNumber column) {
    char* const attribute = get_attname(relation, column, true);
    if (attribute == nullptr) return names;
    char* const name =
        psprintf("%s.%s.%s", get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation), attribute);
    ListCell* cell;
    foreach (cell, names)
        if (strcmp(static_cast<char*>(lfirst(cell)), name) == 0) return names;
    return lappend(names, name);
}

List* names_of(const Flow& flow) {
    List* names = NIL;
    for (Index i = 1; i <= flow.entries; ++i) {
        for (int number = -1; (number = bms_next_member(flow.read[i], number)) >= 0;) {
            Index entry = i;
            auto column = static_cast<AttrNumber>(number);
            to_named_parent(flow.plan, entry, column);
            names = add_name(names, rt_fetch(entry, flow.plan->rtable)->relid, column);
        }
    }
    return names;
}

}  // namespace

List* observe_plan(PlannedStmt* plan) {
    List* names = NIL;
    for (int i = 0; i < pg::permission_count(plan); ++i) {
        pg::Permission const permission = pg::permission(plan, i);
        const MaskedColumns* columns =
            OidIsValid(permission.relation) ? observed_columns(permission.relation) : nullptr;
        for (int k = 0; columns != nullptr && k < columns->count; ++k) {
            AttrNumber const number = columns->columns[k].number;
            bool const all = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, permission.selected);
            if (all || bms_is_member(number - FirstLowInvalidHeapAttributeNumber, permission.selected))
                names = add_name(names, permission.relation, number);
        }
    }
    return names;
}

[[gnu::hot]] bool reads_classified(const PlannedStmt* plan) {
    ListCell* cell;
    foreach (cell, plan->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_RELATION && classified_columns(entry->relid) != nullptr) return true;
    }
    return false;
}

PlanCheck check_plan(PlannedStmt* plan) {
    Flow flow = {};
    flow.plan = plan;
    flow.entries = static_cast<Index>(list_length(plan->rtable));
    flow.columns = static_cast<const MaskedColumns**>(palloc0(sizeof(void*) * (flow.entries + 1)));
    bool any = false;
    ListCell* cell;
    Index index = 0;
    foreach (cell, plan->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        ++index;
        if (entry->rtekind != RTE_RELATION && entry->rtekind != RTE_NAMEDTUPLESTORE) continue;
        flow.columns[index] = masked_columns(entry->relid);
        any = any || flow.columns[index] != nullptr;
    }
    if (!any) return {};
    find_mask_functions();
    flow.read = static_cast<Bitmapset**>(palloc0(sizeof(void*) * (flow.entries + 1)));
    follow_plan(flow);
    return {flow.breach_relation, flow.breach_column, names_of(flow)};
}

}  // namespace hoopguard::mask
