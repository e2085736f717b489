// The walk over the rewritten query. Left raw: EXCLUDED and what ON CONFLICT infers its index from (they are the
// statement's own values and the index's own columns), and row-level security written by a table owner who is not
// masked (a policy decides by real values). Set-returning SQL functions are inlined here, because standard_planner
// would do it after the walk.
#include "mask/substitute_pg.hpp"

#include "mask/mask_call_pg.hpp"
#include "mask/write_guard_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext_data.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rowsecurity.h"
#include "utils/syscache.h"
}

namespace hoopguard::mask {

namespace {

// What is known of a relation, looked up once per statement.
struct Known {
    Oid relation;
    const MaskedColumns* columns;
    bool owner_known;  // whether the next was looked up
    bool owner_exempt;
    Known* next;
};

struct Walk {
    QueryLevel* level;
    PlannerGlobal* global;
    Known* known;
    bool pass;  // inside row-level security: columns of exempt owners stay raw
};

bool is_owner_exempt(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return false;
    Oid const owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return is_exempt(owner);
}

bool is_trusted(Known& known) {
    if (!known.owner_known) known.owner_exempt = is_owner_exempt(known.relation);
    known.owner_known = true;
    return known.owner_exempt;
}

Known* look_up(Walk& walk, Oid relation) {
    for (Known* known = walk.known; known != nullptr; known = known->next)
        if (known->relation == relation) return known;
    auto* known = static_cast<Known*>(palloc0(sizeof(Known)));
    known->relation = relation;
    known->columns = masked_columns(relation);
    known->next = walk.known;
    walk.known = known;
    return known;
}

bool shows_statistics(Oid relation) {
    return relation == StatisticRelationId || relation == StatisticExtDataRelationId;
}

// The relation whose rows a range table entry gives; a transition table has the rows of its table.
Oid relation_of(const RangeTblEntry* entry) {
    return entry->rtekind == RTE_RELATION || entry->rtekind == RTE_NAMEDTUPLESTORE ? entry->relid : InvalidOid;
}

Node* mutate(Node* node, void* context);

Node* mutate_var(Var* var, Walk& walk) {
    QueryLevel* level = walk.level;
    for (Index up = var->varlevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || var->varno < 1 || var->varno > list_length(level->query->rtable))
        return pg::as_node(var);
    const RangeTblEntry* entry = rt_fetch(var->varno, level->query->rtable);
    Oid const relation = relation_of(entry);
    if (!OidIsValid(relation) || var->varattno < 0) return pg::as_node(var);
    const OnConflictExpr* conflict = level->query->onConflict;
    if (conflict != nullptr && conflict->exclRelIndex == var->varno) return pg::as_node(var);
    if (shows_statistics(relation))
        return find_mask_functions(true) ? masked_statistic(var, relation) : pg::as_node(var);
    Known* known = look_up(walk, relation);
    if (known->columns == nullptr) return pg::as_node(var);
    find_mask_functions();
    if (walk.pass && is_trusted(*known)) {
        bool const shows = var->varattno == 0 || known->columns->find(var->varattno) != nullptr;
        return shows ? passed_reference(var) : pg::as_node(var);
    }
    return masked_reference(var, known->columns);
}

Node* mutate_conflict(const OnConflictExpr* conflict, Walk& walk) {
    auto* copy = static_cast<OnConflictExpr*>(palloc(sizeof(OnConflictExpr)));
    *copy = *conflict;
    copy->onConflictSet = reinterpret_cast<List*>(mutate(pg::as_node(conflict->onConflictSet), &walk));
    copy->onConflictWhere = mutate(conflict->onConflictWhere, &walk);
    return pg::as_node(copy);
}

// The checks of row-level security see real values, as its conditions do; a view's checks are the actor's own.
Node* mutate_check(WithCheckOption* check, Walk& walk) {
    bool const outer = walk.pass;
    walk.pass = check->kind != WCO_VIEW_CHECK;
    Node* mutated = pg::mutate_expression(pg::as_node(check), mutate, &walk);
    walk.pass = outer;
    return mutated;
}

// Turns set-returning SQL functions in FROM into sub-queries, exactly as the planner is about to.
void inline_functions(Query* query, Walk& walk) {
    PlannerInfo* root = nullptr;
    ListCell* cell;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind != RTE_FUNCTION) continue;
        if (root == nullptr) {
            root = makeNode(PlannerInfo);
            root->parse = query;
            root->glob = walk.global;
            root->query_level = 1;
            root->planner_cxt = CurrentMemoryContext;
        }
        entry->functions = reinterpret_cast<List*>(eval_const_expressions(root, pg::as_node(entry->functions)));
        Query* body = inline_set_returning_function(root, entry);
        if (body == nullptr) continue;
        entry->rtekind = RTE_SUBQUERY;
        entry->subquery = body;
        entry->security_barrier = false;
        entry->funcordinality = false;
    }
}

// Which of an entry's security conditions are row-level security's: the rest are those of security barrier views,
// which the actor's own reference to the view brought in.
List* policy_conditions(Query* query, RangeTblEntry* entry, int index) {
    if (entry->rtekind != RTE_RELATION || entry->securityQuals == NIL || entry->relkind == RELKIND_VIEW)
        return NIL;
    List* conditions = NIL;
    List* checks = NIL;
    bool has_row_security, has_sublinks;
    get_row_security_policies(query, entry, index, &conditions, &checks, &has_row_security, &has_sublinks);
    return conditions;
}

void restore_policies(Query* original, Query* masked, Walk& walk) {
    ListCell* cell;
    int index = 0;
    foreach (cell, original->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        List* policies = policy_conditions(original, entry, ++index);
        if (policies == NIL) continue;
        auto* masked_entry = rt_fetch(index, masked->rtable);
        List* conditions = NIL;
        ListCell *one, *other;
        forboth(one, entry->securityQuals, other, masked_entry->securityQuals) {
            bool const policy = list_member(policies, lfirst(one));
            walk.pass = true;
            conditions =
                lappend(conditions, policy ? mutate(static_cast<Node*>(lfirst(one)), &walk) : lfirst(other));
            walk.pass = false;
        }
        masked_entry->securityQuals = conditions;
    }
}

Query* mutate_query(Query* query, Walk& walk) {
    check_stack_depth();
    inline_functions(query, walk);
    QueryLevel level = {query, walk.level};
    walk.level = &level;
    Query* masked = pg::mutate_query(query, mutate, &walk, 0);
    if (!walk.pass) restore_policies(query, masked, walk);
    walk.level = level.outer;
    QueryLevel masked_level = {masked, level.outer};
    guard_writes(&masked_level);
    return masked;
}

Node* mutate(Node* node, void* context) {
    auto& walk = *static_cast<Walk*>(context);
    if (node == nullptr) return nullptr;
    if (IsA(node, Var)) return mutate_var(castNode(Var, node), walk);
    if (IsA(node, Query)) return pg::as_node(mutate_query(castNode(Query, node), walk));
    if (IsA(node, OnConflictExpr)) return mutate_conflict(castNode(OnConflictExpr, node), walk);
    if (IsA(node, WithCheckOption)) return mutate_check(castNode(WithCheckOption, node), walk);
    return pg::mutate_expression(node, mutate, context);
}

// Whether anything in the query could have to do with masks: most queries are left at a look.
bool concerns_masks(Node* node, void* context) {
    if (node == nullptr) return false;
    if (IsA(node, RangeTblEntry)) {
        auto* entry = castNode(RangeTblEntry, node);
        if (entry->rtekind == RTE_FUNCTION) return true;
        Oid const relation = relation_of(entry);
        return OidIsValid(relation) &&
               (shows_statistics(relation) || look_up(*static_cast<Walk*>(context), relation)->columns != nullptr);
    }
    if (IsA(node, Query))
        return pg::walk_query(castNode(Query, node), concerns_masks, context, QTW_EXAMINE_RTES_BEFORE);
    return pg::walk_expression(node, concerns_masks, context);
}

}  // namespace

Substitution substitute(Query* query, ParamListInfo parameters) {
    Walk walk = {nullptr, nullptr, nullptr, false};
    if (!concerns_masks(pg::as_node(query), &walk)) return {query, NIL, false, false, false};
    walk.global = makeNode(PlannerGlobal);
    walk.global->boundParams = parameters;
    Query* masked = mutate_query(query, walk);
    return {masked, walk.global->invalItems, walk.global->dependsOnRole, false, true};
}

}  // namespace hoopguard::mask
