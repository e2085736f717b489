// Following values through stored query trees. Nothing is assumed of what a tree holds: an unknown kind of range
// table entry draws on nothing here, because its values are made when the query runs, under masks of their own.
#include "mask/lineage_pg.hpp"

#include "pg/tree.hpp"

extern "C" {
#include "access/relation.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

// The queries that a Var's varlevelsup counts through.
struct Level {
    Query* query;
    Level* outer;
};

struct Trail {
    Level* level;
    ColumnVisitor visit;
    void* context;
};

bool walk(Node* node, void* context);

void walk_output(Query* query, AttrNumber column, Level* outer, const Trail& trail) {
    check_stack_depth();
    Level level = {query, outer};
    Trail inner = {&level, trail.visit, trail.context};
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* entry = lfirst_node(TargetEntry, cell);
        if (!entry->resjunk && (column == 0 || entry->resno == column))
            walk(reinterpret_cast<Node*>(entry->expr), &inner);
    }
    // The branches of a set operation are sub-queries whose columns the target list names one by one; the first
    // one alone is named there.
    if (query->setOperations == nullptr) return;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_SUBQUERY) walk_output(entry->subquery, column, &level, inner);
    }
}

void walk_view(Oid view, AttrNumber column, const Trail& trail) {
    Relation relation = relation_open(view, AccessShareLock);
    walk_output(get_view_query(relation), column, nullptr, trail);
    relation_close(relation, NoLock);
}

void walk_cte(const RangeTblEntry* entry, AttrNumber column, Level* level, const Trail& trail) {
    for (Index up = entry->ctelevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || entry->self_reference) return;
    ListCell* cell;
    foreach (cell, level->query->cteList) {
        auto* cte = lfirst_node(CommonTableExpr, cell);
        if (strcmp(cte->ctename, entry->ctename) == 0 && IsA(cte->ctequery, Query))
            walk_output(castNode(Query, cte->ctequery), column, level, trail);
    }
}

void walk_var(const Var* var, const Trail& trail) {
    Level* level = trail.level;
    for (Index up = var->varlevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || var->varno < 1 || var->varno > list_length(level->query->rtable)) return;
    RangeTblEntry* entry = rt_fetch(var->varno, level->query->rtable);
    switch (entry->rtekind) {
        case RTE_RELATION:
            if (entry->relkind == RELKIND_VIEW)
                walk_view(entry->relid, var->varattno, trail);
            else if (var->varattno >= 0)
                trail.visit(entry->relid, var->varattno, trail.context);
            break;
        case RTE_SUBQUERY: walk_output(entry->subquery, var->varattno, level, trail); break;
        case RTE_CTE: walk_cte(entry, var->varattno, level, trail); break;
        case RTE_JOIN: {
            Trail at_level = {level, trail.visit, trail.context};
            if (var->varattno > 0 && var->varattno <= list_length(entry->joinaliasvars))
                walk(static_cast<Node*>(list_nth(entry->joinaliasvars, var->varattno - 1)), &at_level);
            else
                walk(reinterpret_cast<Node*>(entry->joinaliasvars), &at_level);
            break;
        }
        default:
            if (List* grouped = pg::group_expressions(entry); var->varattno <= list_length(grouped)) {
                Trail at_level = {level, trail.visit, trail.context};
                walk(reinterpret_cast<Node*>(grouped), &at_level);
            }
            break;
    }
}

bool walk(Node* node, void* context) {
    auto* trail = static_cast<Trail*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Var)) {
        walk_var(castNode(Var, node), *trail);
        return false;
    }
    if (IsA(node, SubLink)) {
        auto* link = castNode(SubLink, node);
        walk(link->testexpr, context);
        if (link->subLinkType != EXISTS_SUBLINK && IsA(link->subselect, Query))
            walk_output(castNode(Query, link->subselect), 0, trail->level, *trail);
        return false;
    }
    return pg::walk_expression(node, walk, context);
}

struct OwnColumns {
    Oid relation;
    ColumnVisitor visit;
    void* context;
};

bool walk_own(Node* node, void* context) {
    auto* own = static_cast<OwnColumns*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Var)) {
        if (castNode(Var, node)->varattno >= 0)
            own->visit(own->relation, castNode(Var, node)->varattno, own->context);
        return false;
    }
    return pg::walk_expression(node, walk_own, context);
}

}  // namespace

void visit_sources(Query* query, AttrNumber column, ColumnVisitor visit, void* context) {
    Trail trail = {nullptr, visit, context};
    walk_output(query, column, nullptr, trail);
}

void visit_own_columns(Node* expression, Oid relation, ColumnVisitor visit, void* context) {
    OwnColumns own = {relation, visit, context};
    walk_own(expression, &own);
}

}  // namespace hoopguard::mask
