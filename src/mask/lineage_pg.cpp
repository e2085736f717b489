// Following values through query trees, rewritten or not. A recursive reference ends the path: what it gives came
// in by the other branch.
#include "mask/lineage_pg.hpp"

#include "pg/tree.hpp"

extern "C" {
#include "access/relation.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

struct Search {
    QueryLevel* level;
    const SourceQuestion* question;
};

bool walk(Node* node, void* context);

bool walk_at(void* tree, QueryLevel* level, const Search& search) {
    Search at_level = {level, search.question};
    return walk(static_cast<Node*>(tree), &at_level);
}

bool in_view(Oid view, AttrNumber column, const Search& search) {
    Relation relation = relation_open(view, AccessShareLock);
    bool const found = any_source_of_output(get_view_query(relation), column, nullptr, *search.question);
    relation_close(relation, NoLock);
    return found;
}

bool in_cte(const RangeTblEntry* entry, AttrNumber column, QueryLevel* level, const Search& search) {
    for (Index up = entry->ctelevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || entry->self_reference) return false;
    ListCell* cell;
    foreach (cell, level->query->cteList) {
        auto* cte = lfirst_node(CommonTableExpr, cell);
        if (strcmp(cte->ctename, entry->ctename) == 0 && IsA(cte->ctequery, Query))
            return any_source_of_output(castNode(Query, cte->ctequery), column, level, *search.question);
    }
    return false;
}

bool in_values(const RangeTblEntry* entry, AttrNumber column, QueryLevel* level, const Search& search) {
    ListCell* cell;
    foreach (cell, entry->values_lists) {
        List* row = lfirst_node(List, cell);
        if (column <= 0 || column > list_length(row)) {
            if (walk_at(row, level, search)) return true;
        } else if (walk_at(list_nth(row, column - 1), level, search)) {
            return true;
        }
    }
    return false;
}

// The column `column` of a list of expressions, or all of them.
bool in_list(List* expressions, AttrNumber column, QueryLevel* level, const Search& search) {
    bool const one = column > 0 && column <= list_length(expressions);
    return walk_at(one ? list_nth(expressions, column - 1) : expressions, level, search);
}

bool in_relation(const RangeTblEntry* entry, const Var* var, QueryLevel* level, const Search& search) {
    const Query* query = level->query;
    // EXCLUDED is what the statement itself inserts.
    if (query->onConflict != nullptr && query->onConflict->exclRelIndex == static_cast<int>(var->varno))
        return any_source_of_output(level->query, var->varattno, level->outer, *search.question);
    if (entry->relkind == RELKIND_VIEW && var->varno != static_cast<int>(query->resultRelation))
        return in_view(entry->relid, var->varattno, search);
    return var->varattno >= 0 && search.question->column(entry->relid, var->varattno, search.question->context);
}

bool in_var(const Var* var, const Search& search) {
    QueryLevel* level = search.level;
    for (Index up = var->varlevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || var->varno < 1 || var->varno > list_length(level->query->rtable)) return false;
    RangeTblEntry* entry = rt_fetch(var->varno, level->query->rtable);
    switch (entry->rtekind) {
        case RTE_RELATION: return in_relation(entry, var, level, search);
        case RTE_SUBQUERY: return any_source_of_output(entry->subquery, var->varattno, level, *search.question);
        case RTE_CTE: return in_cte(entry, var->varattno, level, search);
        case RTE_JOIN: return in_list(entry->joinaliasvars, var->varattno, level, search);
        case RTE_VALUES: return in_values(entry, var->varattno, level, search);
        // What a function makes of its arguments is unknown: they all count.
        case RTE_FUNCTION: return walk_at(entry->functions, level, search);
        default: return in_list(pg::group_expressions(entry), var->varattno, level, search);
    }
}

// A parameter set by the sub-query of a multiple assignment, (a, b) = (SELECT …), stands for one of its columns.
bool in_multiple_assignment(const Param* param, const Search& search) {
    ListCell* cell;
    foreach (cell, search.level->query->targetList) {
        Node* node = reinterpret_cast<Node*>(lfirst_node(TargetEntry, cell)->expr);
        if (!IsA(node, SubLink)) continue;
        auto* link = castNode(SubLink, node);
        if (link->subLinkType == MULTIEXPR_SUBLINK && link->subLinkId == param->paramid >> 16)
            return any_source_of_output(castNode(Query, link->subselect),
                                        static_cast<AttrNumber>(param->paramid & 0xFFFF), search.level,
                                        *search.question);
    }
    return false;
}

bool walk(Node* node, void* context) {
    auto* search = static_cast<Search*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Var)) return in_var(castNode(Var, node), *search);
    if (IsA(node, Param) && castNode(Param, node)->paramkind == PARAM_MULTIEXPR)
        return in_multiple_assignment(castNode(Param, node), *search);
    if (IsA(node, FuncExpr) && search->question->call != nullptr &&
        search->question->call(castNode(FuncExpr, node), search->question->context))
        return true;
    if (IsA(node, SubLink)) {
        auto* link = castNode(SubLink, node);
        if (walk(link->testexpr, context)) return true;
        return link->subLinkType != EXISTS_SUBLINK && IsA(link->subselect, Query) &&
               any_source_of_output(castNode(Query, link->subselect), 0, search->level, *search->question);
    }
    return pg::walk_expression(node, walk, context);
}

}  // namespace

bool any_source(Node* expression, QueryLevel* level, const SourceQuestion& question) {
    Search search = {level, &question};
    return walk(expression, &search);
}

bool any_source_of_output(Query* query, AttrNumber column, QueryLevel* outer, const SourceQuestion& question) {
    check_stack_depth();
    QueryLevel level = {query, outer};
    Search search = {&level, &question};
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* entry = lfirst_node(TargetEntry, cell);
        if (!entry->resjunk && (column <= 0 || entry->resno == column) &&
            walk(reinterpret_cast<Node*>(entry->expr), &search))
            return true;
    }
    // The target list of a set operation names the columns of its first branch alone.
    if (query->setOperations == nullptr) return false;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_SUBQUERY && any_source_of_output(entry->subquery, column, &level, question))
            return true;
    }
    return false;
}

}  // namespace hoopguard::mask
