// What a pooler does between clients, and the way in.
#include "identify/anonymous_pg.hpp"

#include "identify/bearing_pg.hpp"
#include "identify/identity_role_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/tree.hpp"
#include "policy/standing_pg.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::identify {
namespace {

bool is_harmless_function(Oid function) {
    if (get_func_namespace(function) != get_namespace_oid("hoopguard", true)) return false;
    const char* const name = get_func_name(function);
    for (const char* const known : {"login", "whoami", "current_actor", "claim", "version", "issue_credential"})
        if (name != nullptr && strcmp(name, known) == 0) return true;
    return false;
}

bool walk(Node* node, void* context) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
        case T_FuncExpr:
            if (!is_harmless_function(reinterpret_cast<FuncExpr*>(node)->funcid)) return true;
            break;
        case T_TargetEntry:
        case T_List:
        case T_Const:
        case T_Param:
        case T_Var:
        case T_RelabelType:
        case T_FieldSelect: break;
        default: return true;
    }
    return pg::walk_expression(node, walk, context);
}

bool walk_functions(List* functions) {
    ListCell* cell;
    foreach (cell, functions)
        if (walk(static_cast<RangeTblFunction*>(lfirst(cell))->funcexpr, nullptr)) return true;
    return false;
}

bool is_harmless(const PlannedStmt* plan) {
    if (plan->commandType != CMD_SELECT || plan->subplans != NIL || plan->hasModifyingCTE) return false;
    const Plan* const top = plan->planTree;
    if (top->lefttree != nullptr || top->righttree != nullptr || top->initPlan != NIL || top->qual != NIL)
        return false;
    if (walk(reinterpret_cast<Node*>(top->targetlist), nullptr)) return false;
    if (IsA(top, Result)) return reinterpret_cast<const Result*>(top)->resconstantqual == nullptr;
    return IsA(top, FunctionScan) && !walk_functions(reinterpret_cast<const FunctionScan*>(top)->functions);
}

bool is_harmless_utility(const Node* statement) {
    switch (nodeTag(statement)) {
        case T_TransactionStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
        case T_DiscardStmt:
        case T_PrepareStmt:
        case T_ExecuteStmt:
        case T_DeallocateStmt: return true;
        default: break;
    }
    return false;
}

// As the policy in force has it; looked up again when that changes.
const IdentityRole& own_role() {
    static IdentityRole role;
    static std::uint64_t generation = ~std::uint64_t{0};
    const std::uint64_t now = policy::generation_in_force();
    if (generation != now && IsTransactionState()) {
        role = identity_role(GetAuthenticatedUserId());
        generation = now;
    }
    return role;
}

}  // namespace

[[gnu::hot]] void demand_bearer(const PlannedStmt* plan) {
    if (bearer() != nullptr || MyProcPort == nullptr || is_rescuer() || policy::generation_in_force() == 0) return;
    if (!own_role().needs_token_to_speak) return;
    const bool harmless =
        plan != nullptr && pg::call([plan] {
            return plan->commandType == CMD_UTILITY ? is_harmless_utility(plan->utilityStmt) : is_harmless(plan);
        });
    if (harmless) return;
    throw pg::Refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "this session has not said who speaks", nullptr,
                      "SELECT hoopguard.login('<token>') first.");
}

}  // namespace hoopguard::identify
