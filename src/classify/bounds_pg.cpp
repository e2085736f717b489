// Conditions that restrict, and those that only look so.
//
// PlannedStmt has no room for extensions; items of a cache that does not exist travel in its list of invalidation
// items and match no invalidation (PlanCacheObjectCallback compares the cache's number first).
#include "classify/bounds_pg.hpp"

#include "pg/compat.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_operator_d.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

constexpr int kBoundsItem = -0x68470003;

struct Judging {
    ParamListInfo parameters;
    List* notes;
};

PlanInvalItem* note(Oid relation) {
    PlanInvalItem* item = makeNode(PlanInvalItem);
    item->cacheId = kBoundsItem;
    item->hashValue = relation;
    return item;
}

// The rows in question: those of one relation of one query.
struct Target {
    Index index;
    Oid relation;
};

bool refers_to(Node* node, const Target& target) {
    return bms_is_member(static_cast<int>(target.index), pull_varnos(nullptr, node));
}

bool restricts(Node* node, const Target& target);

bool is_like(Oid operation) {
    return operation == OID_TEXT_LIKE_OP || operation == OID_TEXT_ICLIKE_OP || operation == OID_NAME_LIKE_OP ||
           operation == OID_NAME_ICLIKE_OP || operation == OID_BPCHAR_LIKE_OP || operation == OID_BPCHAR_ICLIKE_OP;
}

bool is_percent_signs(Node* node) {
    if (!IsA(node, Const) || reinterpret_cast<Const*>(node)->constisnull) return false;
    const char* const pattern = TextDatumGetCString(reinterpret_cast<Const*>(node)->constvalue);
    return *pattern != '\0' && pattern[strspn(pattern, "%")] == '\0';
}

bool is_true_by_form(const OpExpr* operation) {
    if (list_length(operation->args) != 2) return false;
    auto* const left = static_cast<Node*>(linitial(operation->args));
    auto* const right = static_cast<Node*>(lsecond(operation->args));
    if (is_like(operation->opno) && is_percent_signs(right)) return true;
    return equal(left, right) && pg::is_reflexive(operation->opno);
}

bool is_true_by_form(const ScalarArrayOpExpr* operation) {
    auto* const array = static_cast<Node*>(lsecond(operation->args));
    if (!operation->useOr || !IsA(array, ArrayExpr) || !pg::is_reflexive(operation->opno)) return false;
    return list_member(reinterpret_cast<ArrayExpr*>(array)->elements, linitial(operation->args));
}

// IS NOT NULL of a column that cannot be.
bool is_true_by_form(const NullTest* test, const Target& target) {
    if (test->nulltesttype != IS_NOT_NULL || !IsA(test->arg, Var)) return false;
    auto const* const column = reinterpret_cast<Var*>(test->arg);
    if (column->varno != static_cast<int>(target.index) || column->varattno <= 0) return column->varattno < 0;
    HeapTuple const tuple =
        SearchSysCache2(ATTNUM, ObjectIdGetDatum(target.relation), Int16GetDatum(column->varattno));
    if (!HeapTupleIsValid(tuple)) return false;
    bool const never_null = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attnotnull;
    ReleaseSysCache(tuple);
    return never_null;
}

bool always_gives_true(const CaseExpr* expression) {
    auto const is_true = [](Node* node) {
        return node != nullptr && IsA(node, Const) && !reinterpret_cast<Const*>(node)->constisnull &&
               DatumGetBool(reinterpret_cast<Const*>(node)->constvalue);
    };
    ListCell* cell;
    foreach (cell, expression->args)
        if (!is_true(pg::as_node(lfirst_node(CaseWhen, cell)->result))) return false;
    return is_true(pg::as_node(expression->defresult));
}

// "a OR NOT a", however the second is spelled.
bool has_opposites(const List* arms) {
    ListCell* one;
    foreach (one, arms) {
        Node* const opposite = negate_clause(pg::copy_tree(static_cast<Node*>(lfirst(one))));
        if (list_member(arms, opposite)) return true;
    }
    return false;
}

bool restricts(const BoolExpr* expression, const Target& target) {
    ListCell* cell;
    switch (expression->boolop) {
        case AND_EXPR:
            foreach (cell, expression->args)
                if (restricts(static_cast<Node*>(lfirst(cell)), target)) return true;
            return false;
        case OR_EXPR:
            foreach (cell, expression->args)
                if (!restricts(static_cast<Node*>(lfirst(cell)), target)) return false;
            return !has_opposites(expression->args);
        case NOT_EXPR: break;
    }
    auto* const denied = static_cast<Node*>(linitial(expression->args));
    if (IsA(denied, DistinctExpr)) {
        auto const* const distinct = reinterpret_cast<DistinctExpr*>(denied);
        if (equal(linitial(distinct->args), lsecond(distinct->args))) return false;
    }
    return refers_to(denied, target);
}

bool restricts(Node* node, const Target& target) {
    check_stack_depth();
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
        case T_List: {
            ListCell* cell;
            foreach (cell, reinterpret_cast<List*>(node))
                if (restricts(static_cast<Node*>(lfirst(cell)), target)) return true;
            return false;
        }
        case T_Const: {
            auto const* const value = reinterpret_cast<Const*>(node);
            return value->constisnull || !DatumGetBool(value->constvalue);
        }
        case T_CurrentOfExpr: return true;
        case T_BoolExpr: return restricts(reinterpret_cast<BoolExpr*>(node), target);
        case T_BooleanTest: {
            auto const* const test = reinterpret_cast<BooleanTest*>(node);
            if (test->booltesttype == IS_TRUE || test->booltesttype == IS_NOT_FALSE)
                return restricts(pg::as_node(test->arg), target);
            return test->booltesttype != IS_NOT_UNKNOWN && refers_to(node, target);
        }
        case T_OpExpr:
            if (is_true_by_form(reinterpret_cast<OpExpr*>(node))) return false;
            break;
        case T_ScalarArrayOpExpr:
            if (is_true_by_form(reinterpret_cast<ScalarArrayOpExpr*>(node))) return false;
            break;
        case T_NullTest:
            if (is_true_by_form(reinterpret_cast<NullTest*>(node), target)) return false;
            break;
        case T_CaseExpr:
            if (always_gives_true(reinterpret_cast<CaseExpr*>(node))) return false;
            break;
        default: break;
    }
    return refers_to(node, target);
}

// "column = value", the form of nearly every statement, needs no folding.
bool is_plain_comparison(Node* node, const Target& target) {
    if (node == nullptr || !IsA(node, OpExpr)) return false;
    auto const* const operation = reinterpret_cast<OpExpr*>(node);
    if (list_length(operation->args) != 2 || get_oprrest(operation->opno) != F_EQSEL) return false;
    auto* const left = static_cast<Node*>(linitial(operation->args));
    auto* const right = static_cast<Node*>(lsecond(operation->args));
    return IsA(left, Var) && reinterpret_cast<Var*>(left)->varno == static_cast<int>(target.index) &&
           (IsA(right, Const) || IsA(right, Param));
}

// The condition as the planner will see it: parameters that this plan is made for are constants.
Node* folded(Node* condition, ParamListInfo parameters) {
    PlannerInfo* root = makeNode(PlannerInfo);
    root->glob = makeNode(PlannerGlobal);
    root->glob->boundParams = parameters;
    return eval_const_expressions(root, pg::copy_tree(condition));
}

bool condition_restricts(Node* condition, const Target& target, ParamListInfo parameters) {
    if (condition == nullptr) return false;
    if (is_plain_comparison(condition, target)) return true;
    return restricts(folded(condition, parameters), target);
}

// Inner joins restrict like conditions; an outer join may keep every row.
bool joins_restrict(Node* join, const Target& target, ParamListInfo parameters) {
    if (join == nullptr || !IsA(join, JoinExpr)) return false;
    auto const* const expression = reinterpret_cast<JoinExpr*>(join);
    if (expression->jointype != JOIN_INNER) return false;
    return condition_restricts(expression->quals, target, parameters) ||
           joins_restrict(expression->larg, target, parameters) ||
           joins_restrict(expression->rarg, target, parameters);
}

bool tree_restricts(const FromExpr* tree, const Target& target, ParamListInfo parameters) {
    if (condition_restricts(tree->quals, target, parameters)) return true;
    ListCell* cell;
    foreach (cell, tree->fromlist)
        if (joins_restrict(static_cast<Node*>(lfirst(cell)), target, parameters)) return true;
    return false;
}

bool merge_is_bounded(const Query* query, const Target& target, ParamListInfo parameters) {
    bool const joined = tree_restricts(query->jointree, target, parameters) ||
                        condition_restricts(pg::merge_condition(query), target, parameters);
    ListCell* cell;
    foreach (cell, query->mergeActionList) {
        auto const* const action = lfirst_node(MergeAction, cell);
        if (action->commandType != CMD_UPDATE && action->commandType != CMD_DELETE) continue;
        bool const meets_join = joined && !pg::is_not_matched_by_source(action);
        if (!meets_join && !condition_restricts(action->qual, target, parameters)) return false;
    }
    return true;
}

void judge(const Query* query, Judging& judging) {
    if (query->commandType != CMD_UPDATE && query->commandType != CMD_DELETE && query->commandType != CMD_MERGE)
        return;
    auto const index = static_cast<Index>(query->resultRelation);
    Target const target = {index, rt_fetch(index, query->rtable)->relid};
    judging.notes = lappend(judging.notes, note(InvalidOid));
    bool const bounded = query->commandType == CMD_MERGE
                             ? merge_is_bounded(query, target, judging.parameters)
                             : tree_restricts(query->jointree, target, judging.parameters);
    if (!bounded) judging.notes = lappend(judging.notes, note(target.relation));
}

}  // namespace

[[gnu::hot]] List* judge_bounds(Query* query, ParamListInfo parameters) {
    Judging judging = {parameters, NIL};
    judge(query, judging);
    if (!query->hasModifyingCTE) return judging.notes;
    ListCell* cell;
    foreach (cell, query->cteList) {
        auto* const inner = lfirst_node(CommonTableExpr, cell)->ctequery;
        if (IsA(inner, Query)) judge(reinterpret_cast<Query*>(inner), judging);
    }
    return judging.notes;
}

[[gnu::hot]] void note_bounds(PlannedStmt* plan, List* notes) {
    plan->invalItems = list_concat(plan->invalItems, notes);
}

[[gnu::hot]] List* unbounded_relations(const PlannedStmt* plan, bool& judged) {
    List* relations = NIL;
    judged = false;
    ListCell* cell;
    foreach (cell, plan->invalItems) {
        auto const* const item = lfirst_node(PlanInvalItem, cell);
        if (item->cacheId != kBoundsItem) continue;
        judged = true;
        if (OidIsValid(item->hashValue)) relations = list_append_unique_oid(relations, item->hashValue);
    }
    return relations;
}

}  // namespace hoopguard::classify
