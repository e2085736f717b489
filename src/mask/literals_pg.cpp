// Walking queries for literals. A clause is sensitive when any source of it is a classified column; everything
// constant in it is then taken, too much rather than too little.
#include "mask/literals_pg.hpp"

#include "mask/labels_pg.hpp"
#include "mask/lineage_pg.hpp"
#include "pg/beside_plans.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "pg/tree.hpp"

#include <vector>

extern "C" {
#include "access/transam.h"
#include "parser/parsetree.h"
}

namespace hoopguard::mask {

namespace {

constexpr int kLiteralItem = -0x68470011;
constexpr int kParameterItem = -0x68470012;
constexpr int kClassifiedItem = -0x68470013;
constexpr int kMostFollowed = 16;  // Vars behind one another

struct Walk {
    QueryLevel* level;
    List** notes;
    int followed;
};

void note(List** notes, int kind, std::int64_t number) {
    PlanInvalItem* item = makeNode(PlanInvalItem);
    item->cacheId = kind;
    item->hashValue = static_cast<uint32>(number);
    *notes = lappend(*notes, item);
}

bool is_classified_column(Oid relation, AttrNumber column, void*) {
    const ClassifiedColumns* const columns = classified_columns(relation);
    if (columns == nullptr) return false;
    if (column == 0) return true;
    for (int i = 0; i < columns->count; ++i)
        if (columns->columns[i].number == column) return true;
    return false;
}

// What a function of the database's own does with its arguments, nobody knows.
bool is_unknown_call(FuncExpr* call, void*) {
    return call->funcid >= FirstNormalObjectId;
}

void walk_query(Query* query, QueryLevel* outer, List** notes);
bool take(Node* node, void* context);

void take_at(void* tree, QueryLevel* level, const Walk& walk) {
    Walk next = {level, walk.notes, walk.followed + 1};
    take(static_cast<Node*>(tree), &next);
}

// The constants of one column of a query's output.
void take_output(Query* query, AttrNumber column, QueryLevel* outer, const Walk& walk) {
    QueryLevel level = {query, outer};
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* entry = lfirst_node(TargetEntry, cell);
        if (!entry->resjunk && (column <= 0 || entry->resno == column)) take_at(entry->expr, &level, walk);
    }
    if (query->setOperations == nullptr) return;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_SUBQUERY) take_output(entry->subquery, column, &level, walk);
    }
}

void take_cte(const RangeTblEntry* entry, AttrNumber column, QueryLevel* level, const Walk& walk) {
    for (Index up = entry->ctelevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (level == nullptr || entry->self_reference) return;
    ListCell* cell;
    foreach (cell, level->query->cteList) {
        auto* cte = lfirst_node(CommonTableExpr, cell);
        if (strcmp(cte->ctename, entry->ctename) == 0 && IsA(cte->ctequery, Query)) {
            Walk next = {walk.level, walk.notes, walk.followed + 1};
            take_output(castNode(Query, cte->ctequery), column, level, next);
        }
    }
}

void take_list(List* expressions, AttrNumber column, QueryLevel* level, const Walk& walk) {
    bool const one = column > 0 && column <= list_length(expressions);
    take_at(one ? list_nth(expressions, column - 1) : expressions, level, walk);
}

// A column of VALUES, of a sub-query, of a CTE: the constants there.
void follow(const Var* var, const Walk& walk) {
    QueryLevel* level = walk.level;
    for (Index up = var->varlevelsup; up > 0 && level != nullptr; --up) level = level->outer;
    if (walk.followed > kMostFollowed || level == nullptr || var->varno < 1 ||
        var->varno > list_length(level->query->rtable))
        return;
    RangeTblEntry* entry = rt_fetch(var->varno, level->query->rtable);
    ListCell* cell;
    switch (entry->rtekind) {
        case RTE_SUBQUERY: take_output(entry->subquery, var->varattno, level, walk); break;
        case RTE_CTE: take_cte(entry, var->varattno, level, walk); break;
        case RTE_JOIN: take_list(entry->joinaliasvars, var->varattno, level, walk); break;
        case RTE_FUNCTION: take_at(entry->functions, level, walk); break;
        case RTE_VALUES:
            foreach (cell, entry->values_lists) take_list(lfirst_node(List, cell), var->varattno, level, walk);
            break;
        default: break;
    }
}

// Every constant and parameter in an expression that a classified column is met with.
bool take(Node* node, void* context) {
    auto* walk = static_cast<Walk*>(context);
    if (node == nullptr) return false;
    check_stack_depth();
    if (IsA(node, Const)) {
        auto* constant = castNode(Const, node);
        if (!constant->constisnull && constant->location >= 0) note(walk->notes, kLiteralItem, constant->location);
        return false;
    }
    if (IsA(node, Param)) {
        auto* param = castNode(Param, node);
        if (param->paramkind == PARAM_EXTERN) note(walk->notes, kParameterItem, param->paramid);
        return false;
    }
    if (IsA(node, Var)) {
        follow(castNode(Var, node), *walk);
        return false;
    }
    if (IsA(node, SubLink)) {
        auto* link = castNode(SubLink, node);
        take(link->testexpr, context);
        if (IsA(link->subselect, Query)) {
            walk_query(castNode(Query, link->subselect), walk->level, walk->notes);
            if (link->subLinkType != EXISTS_SUBLINK)
                take_output(castNode(Query, link->subselect), 0, walk->level, *walk);
        }
        return false;
    }
    return pg::walk_expression(node, take, context);
}

// Nodes that only hold others: what stands below is judged piece by piece.
bool is_frame(Node* node) {
    switch (nodeTag(node)) {
        case T_List:
        case T_TargetEntry:
        case T_FromExpr:
        case T_JoinExpr:
        case T_BoolExpr:
        case T_OnConflictExpr:
        case T_MergeAction:
        case T_RangeTblRef:
        case T_RangeTblFunction:
        case T_SortGroupClause:
        case T_WindowClause:
        case T_CommonTableExpr:
        case T_TableSampleClause: return true;
        default: return false;
    }
}

bool walk_clauses(Node* node, void* context) {
    auto* walk = static_cast<Walk*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Query)) {
        walk_query(castNode(Query, node), walk->level, walk->notes);
        return false;
    }
    if (IsA(node, Var) || IsA(node, Const) || IsA(node, Param)) return false;
    if (!is_frame(node)) {
        SourceQuestion const question = {is_classified_column, is_unknown_call, nullptr};
        if (any_source(node, walk->level, question)) {
            take(node, context);
            return false;
        }
    }
    return pg::walk_expression(node, walk_clauses, context);
}

// What INSERT, UPDATE and the like put into classified columns of `relation`.
void take_assigned(List* targets, Oid relation, const Walk& walk) {
    ListCell* cell;
    foreach (cell, targets) {
        auto* entry = lfirst_node(TargetEntry, cell);
        if (entry->resjunk || !is_classified_column(relation, entry->resno, nullptr)) continue;
        take_at(entry->expr, walk.level, walk);
    }
}

void walk_assignments(Query* query, const Walk& walk) {
    if (query->resultRelation < 1 || query->resultRelation > list_length(query->rtable)) return;
    Oid const relation = rt_fetch(query->resultRelation, query->rtable)->relid;
    if (classified_columns(relation) == nullptr) return;
    if (query->commandType == CMD_INSERT || query->commandType == CMD_UPDATE)
        take_assigned(query->targetList, relation, walk);
    if (query->onConflict != nullptr) take_assigned(query->onConflict->onConflictSet, relation, walk);
    ListCell* cell;
    foreach (cell, query->mergeActionList)
        take_assigned(lfirst_node(MergeAction, cell)->targetList, relation, walk);
}

void walk_query(Query* query, QueryLevel* outer, List** notes) {
    check_stack_depth();
    if (query->commandType == CMD_UTILITY) return;
    QueryLevel level = {query, outer};
    Walk walk = {&level, notes, 0};
    ListCell* cell;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_SUBQUERY) walk_query(entry->subquery, &level, notes);
        if (entry->rtekind == RTE_RELATION && is_classified_column(entry->relid, 0, nullptr))
            note(notes, kClassifiedItem, 0);
    }
    foreach (cell, query->cteList) {
        auto* cte = lfirst_node(CommonTableExpr, cell);
        if (IsA(cte->ctequery, Query)) walk_query(castNode(Query, cte->ctequery), &level, notes);
    }
    walk_assignments(query, walk);
    pg::walk_query(query, walk_clauses, &walk, QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

// Utility statements whose literals are data of whoever wrote them into code, or into a query not yet analyzed.
bool holds_code(Node* statement) {
    switch (nodeTag(statement)) {
        case T_PrepareStmt:
        case T_ExecuteStmt:
        case T_DoStmt:
        case T_CallStmt:
        case T_CopyStmt:
        case T_CreateFunctionStmt:
        case T_ViewStmt:
        case T_RuleStmt:
        case T_CreatePolicyStmt:
        case T_AlterPolicyStmt:
        case T_CreateTrigStmt:
        case T_CreateStmt:
        case T_AlterTableStmt:
        case T_IndexStmt:
        case T_CreateStatsStmt: return true;
        default: return false;
    }
}

Node* query_within(Node* statement) {
    switch (nodeTag(statement)) {
        case T_ExplainStmt: return reinterpret_cast<ExplainStmt*>(statement)->query;
        case T_DeclareCursorStmt: return reinterpret_cast<DeclareCursorStmt*>(statement)->query;
        case T_CreateTableAsStmt: return reinterpret_cast<CreateTableAsStmt*>(statement)->query;
        default: return nullptr;
    }
}

// The items of a kind among the notes, as numbers.
std::span<const std::int32_t> numbers_of(List* notes, int kind) {
    auto* numbers = static_cast<std::int32_t*>(
        palloc(sizeof(std::int32_t) * static_cast<std::size_t>(list_length(notes) + 1)));
    std::size_t count = 0;
    ListCell* cell;
    foreach (cell, notes) {
        auto const* const item = lfirst_node(PlanInvalItem, cell);
        if (item->cacheId == kind) numbers[count++] = static_cast<std::int32_t>(item->hashValue);
    }
    return {numbers, count};
}

bool has_kind(List* notes, int kind) {
    ListCell* cell;
    foreach (cell, notes)
        if (lfirst_node(PlanInvalItem, cell)->cacheId == kind) return true;
    return false;
}

record::SensitiveParts parts_of(List* notes) {
    record::SensitiveParts parts;
    parts.classified = has_kind(notes, kClassifiedItem);
    if (has_kind(notes, kLiteralItem)) parts.literals = numbers_of(notes, kLiteralItem);
    if (has_kind(notes, kParameterItem)) parts.parameters = numbers_of(notes, kParameterItem);
    return parts;
}

// What was found in a plan that is kept.
struct Found {
    std::vector<std::int32_t> literals;
    std::vector<std::int32_t> parameters;
    bool classified = false;

    record::SensitiveParts parts() const noexcept {
        record::SensitiveParts parts;
        parts.literals = literals;
        parts.parameters = parameters;
        parts.classified = classified;
        return parts;
    }
};

// The notes of a plan never change.
[[gnu::hot, gnu::noinline]] record::SensitiveParts parts_of_noted(const PlannedStmt* plan) {
    static pg::BesidePlans<Found> known;
    if (auto const* const before = known.find(plan)) return before->parts();
    auto const parts = pg::call([plan] { return parts_of(plan->invalItems); });
    if (!pg::is_kept(plan)) return parts;
    return known
        .put(plan, {{parts.literals.begin(), parts.literals.end()},
                    {parts.parameters.begin(), parts.parameters.end()},
                    parts.classified})
        .parts();
}

[[gnu::noinline]] record::SensitiveParts parts_of_utility(Node* statement) {
    record::SensitiveParts parts;
    Node* inner = query_within(statement);
    while (inner != nullptr && IsA(inner, Query) && castNode(Query, inner)->utilityStmt != nullptr) {
        statement = castNode(Query, inner)->utilityStmt;
        inner = query_within(statement);
    }
    if (inner != nullptr && IsA(inner, Query)) return parts_of(judge_literals(castNode(Query, inner)));
    if (holds_code(statement)) parts.any_literal = parts.classified = database_has_classified();
    return parts;
}

}  // namespace

[[gnu::hot]] List* judge_literals(Query* query) {
    List* notes = NIL;
    if (database_has_classified()) walk_query(query, nullptr, &notes);
    return notes;
}

[[gnu::hot]] void note_literals(PlannedStmt* plan, List* notes) {
    plan->invalItems = list_concat(plan->invalItems, notes);
}

[[gnu::hot]] record::SensitiveParts sensitive_parts(const classify::Statement& statement) {
    if (statement.plan == nullptr) return {};
    PlannedStmt* const plan = statement.plan;
    if (statement.query != nullptr)
        return plan->invalItems != NIL ? parts_of_noted(plan) : record::SensitiveParts();
    // These are many, and touch nothing; a failed transaction runs nothing else.
    switch (nodeTag(plan->utilityStmt)) {
        case T_TransactionStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
        case T_FetchStmt:
        case T_ClosePortalStmt: return {};
        default: break;
    }
    return pg::call([plan] { return parts_of_utility(plan->utilityStmt); });
}

record::SensitiveParts sensitive_parts_of_failure() noexcept {
    record::SensitiveParts parts;
    parts.any_literal = parts.classified = may_have_classified();
    return parts;
}

}  // namespace hoopguard::mask
