// Functions called by name, by a walk over a query.
//
// How the notes travel with a plan: see bounds_pg.cpp.
#include "classify/calls_pg.hpp"

#include "classify/need.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/transam.h"
#include "nodes/makefuncs.h"
#include "utils/fmgroids.h"
}

namespace hoopguard::classify {

namespace {

constexpr int kCallItem = -0x68470007;

// A channel is guarded by what is put into the plan; besides that only functions that users made are of interest.
[[gnu::hot]] bool note_function(Oid function, void* context) {
    auto& found = *static_cast<List**>(context);
    if (function >= FirstNormalObjectId || function == F_PG_NOTIFY)
        found = list_append_unique_oid(found, function);
    return false;
}

[[gnu::hot]] bool visit_call(Node* node, void* context) {
    if (node == nullptr || pg::is_leaf(node)) return false;
    if (IsA(node, Query)) return pg::walk_query(reinterpret_cast<Query*>(node), visit_call, context, 0);
    (void)check_functions_in_node(node, note_function, context);
    return pg::walk_expression(node, visit_call, context);
}

bool visit_query(Node* node, void* context) {
    if (node == nullptr) return false;
    if (!IsA(node, Query)) return pg::walk_expression(node, visit_query, context);
    auto* const query = reinterpret_cast<Query*>(node);
    auto& found = *static_cast<List**>(context);
    for (int i = 0; i < pg::permission_count(query); ++i) {
        auto const [relation, required, selected] = pg::permission(query, i);
        if (!OidIsValid(relation) || required == 0) continue;
        auto* const need = static_cast<QueryNeed*>(palloc(sizeof(QueryNeed)));
        *need = {relation, required};
        found = lappend(found, need);
    }
    return pg::walk_query(query, visit_query, context, 0);
}

}  // namespace

List* calls_of(Node* expression, List* functions) {
    visit_call(expression, &functions);
    return functions;
}

[[gnu::hot]] List* judge_calls(Query* query) {
    List* const functions = calls_of(pg::as_node(query), NIL);
    List* notes = NIL;
    ListCell* cell;
    foreach (cell, functions) {
        PlanInvalItem* const item = makeNode(PlanInvalItem);
        item->cacheId = kCallItem;
        item->hashValue = lfirst_oid(cell);
        notes = lappend(notes, item);
    }
    return notes;
}

[[gnu::hot]] void note_calls(PlannedStmt* plan, List* notes) {
    plan->invalItems = list_concat(plan->invalItems, notes);
}

[[gnu::hot]] List* noted_calls(const PlannedStmt* plan, List* functions) {
    ListCell* cell;
    foreach (cell, plan->invalItems) {
        auto const* const item = lfirst_node(PlanInvalItem, cell);
        if (item->cacheId == kCallItem) functions = list_append_unique_oid(functions, item->hashValue);
    }
    return functions;
}

List* needs_of(Query* query) {
    List* needs = NIL;
    visit_query(pg::as_node(query), &needs);
    return needs;
}

std::uint16_t privileges_on_sequence(Oid function) noexcept {
    switch (function) {
        case F_NEXTVAL:
        case F_CURRVAL: return kUsage;
        case F_SETVAL_REGCLASS_INT8:
        case F_SETVAL_REGCLASS_INT8_BOOL: return kUpdate;
        default: return 0;
    }
}

}  // namespace hoopguard::classify
