// Which clauses of a query narrow a scan of the journal.
// Everything here is PostgreSQL's: node trees in planner memory, errors by ereport; no C++ object is alive.
#include "sqlapi/journal_quals.hpp"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace hoopguard::sqlapi {

namespace {

const Column* column_of(RelOptInfo* rel, Content content, Node* node, int* number) {
    if (node != nullptr && IsA(node, RelabelType))
        node = reinterpret_cast<Node*>(reinterpret_cast<RelabelType*>(node)->arg);
    if (node == nullptr || !IsA(node, Var)) return nullptr;
    auto* var = reinterpret_cast<Var*>(node);
    Columns const columns = columns_of(content);
    if (static_cast<Index>(var->varno) != rel->relid || var->varlevelsup != 0 || var->varattno < 1 ||
        var->varattno > columns.count)
        return nullptr;
    *number = var->varattno - 1;
    return columns.first[*number].key == Key::kNone ? nullptr : &columns.first[*number];
}

bool known_before_scan(PlannerInfo* root, RelOptInfo* rel, Node* value) {
    return !bms_is_member(rel->relid, pull_varnos(root, value)) && !contain_volatile_functions(value) &&
           !contain_subplans(value);
}

Oid family_of(Oid type) {
    return lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
}

// Texts may only be compared byte by byte when their collation holds nothing else for equal.
bool bytewise(Oid collation) {
    return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

bool recognize_operator(PlannerInfo* root, RelOptInfo* rel, Content content, OpExpr* op, Qual* qual) {
    if (list_length(op->args) != 2) return false;
    Oid operation = op->opno;
    auto* left = static_cast<Node*>(linitial(op->args));
    auto* right = static_cast<Node*>(lsecond(op->args));
    const Column* column = column_of(rel, content, left, &qual->column);
    if (column == nullptr) {
        column = column_of(rel, content, right, &qual->column);
        operation = get_commutator(operation);
        right = left;
    }
    if (column == nullptr || !OidIsValid(operation) || !known_before_scan(root, rel, right)) return false;
    int const strategy = get_op_opfamily_strategy(operation, family_of(column->type));
    if (strategy == 0) return false;
    if (column->type == TEXTOID && (strategy != BTEqualStrategyNumber || !bytewise(op->inputcollid))) return false;
    Node* value = coerce_to_target_type(nullptr, right, exprType(right), column->type, -1, COERCION_EXPLICIT,
                                        COERCE_IMPLICIT_CAST, -1);
    if (value == nullptr) return false;
    qual->key = column->key;
    qual->comparison = static_cast<Comparison>(strategy);  // B-tree strategies: <, <=, =, >=, >
    qual->value = reinterpret_cast<Expr*>(value);
    return true;
}

bool recognize_any(PlannerInfo* root, RelOptInfo* rel, Content content, ScalarArrayOpExpr* op, Qual* qual) {
    const Column* column = column_of(rel, content, static_cast<Node*>(linitial(op->args)), &qual->column);
    auto* array = static_cast<Node*>(lsecond(op->args));
    if (column == nullptr || column->key != Key::kSession || !op->useOr || !bytewise(op->inputcollid) ||
        !known_before_scan(root, rel, array) || exprType(array) != TEXTARRAYOID ||
        get_op_opfamily_strategy(op->opno, family_of(TEXTOID)) != BTEqualStrategyNumber)
        return false;
    qual->key = column->key;
    qual->comparison = Comparison::kAny;
    qual->value = reinterpret_cast<Expr*>(array);
    return true;
}

static_assert(BTLessStrategyNumber == static_cast<int>(Comparison::kLess) &&
              BTEqualStrategyNumber == static_cast<int>(Comparison::kEqual) &&
              BTGreaterStrategyNumber == static_cast<int>(Comparison::kGreater));

struct Wanted {
    Content content;
    Key key;
};

}  // namespace

bool recognize_qual(PlannerInfo* root, RelOptInfo* rel, Content content, Expr* clause, Qual* qual) {
    if (IsA(clause, OpExpr))
        return recognize_operator(root, rel, content, reinterpret_cast<OpExpr*>(clause), qual);
    if (IsA(clause, ScalarArrayOpExpr))
        return recognize_any(root, rel, content, reinterpret_cast<ScalarArrayOpExpr*>(clause), qual);
    return false;
}

extern "C" {

static bool hoopguard_is_wanted_member(PlannerInfo* root, RelOptInfo* rel, EquivalenceClass* equivalence,
                                       EquivalenceMember* member, void* argument) {
    auto* wanted = static_cast<Wanted*>(argument);
    int number = 0;
    const Column* column = column_of(rel, wanted->content, reinterpret_cast<Node*>(member->em_expr), &number);
    return column != nullptr && column->key == wanted->key;
}

}  // extern "C"

List* join_equalities(PlannerInfo* root, RelOptInfo* rel, Content content) {
    List* found = NIL;
    if (rel->has_eclass_joins) {
        for (Key key : {Key::kSession, Key::kEntry}) {
            Wanted wanted = {content, key};
            found =
                list_concat(found, generate_implied_equalities_for_column(root, rel, hoopguard_is_wanted_member,
                                                                          &wanted, rel->lateral_referencers));
        }
    }
    ListCell* cell;
    foreach (cell, rel->joininfo) {
        auto* restriction = lfirst_node(RestrictInfo, cell);
        Qual qual;
        if (join_clause_is_movable_to(restriction, rel) &&
            recognize_qual(root, rel, content, restriction->clause, &qual) &&
            (qual.key == Key::kSession || qual.key == Key::kEntry))
            found = lappend(found, restriction);
    }
    return found;
}

}  // namespace hoopguard::sqlapi
