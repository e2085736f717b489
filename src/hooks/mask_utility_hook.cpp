// Utility statements that masks concern. It stands behind the gate that records and decides: what is refused here
// is on record already.
#include "hooks/hooks.hpp"
#include "identify/session_pg.hpp"
#include "mask/copy_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/utility_rules_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "utils/plancache.h"
}

namespace {

ProcessUtility_hook_type prev_ProcessUtility = nullptr;

// What to run in place of `statement`; null when that is done.
PlannedStmt* prepare(PlannedStmt* statement) {
    switch (nodeTag(statement->utilityStmt)) {
        // These are many, and no mask concerns them. A failed transaction runs nothing else.
        case T_TransactionStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
        case T_FetchStmt: return statement;
        default: break;
    }
    hoopguard::mask::look_at(hoopguard::identify::current_actor());
    return hoopguard::pg::call([statement]() -> PlannedStmt* {
        if (hoopguard::mask::label_without_ownership(statement->utilityStmt)) return nullptr;
        hoopguard::mask::check_utility(statement->utilityStmt);
        return hoopguard::mask::copy_as_query(statement);
    });
}

// Whether another role may speak afterwards. PostgreSQL plans anew when the current role differs from the plan's,
// not when only the session's does.
bool may_change_speaker(const PlannedStmt* statement) {
    if (!IsA(statement->utilityStmt, VariableSetStmt)) return false;
    auto const* const name = reinterpret_cast<const VariableSetStmt*>(statement->utilityStmt)->name;
    return name == nullptr || strcmp(name, "role") == 0 || strcmp(name, "session_authorization") == 0;
}

}  // namespace

extern "C" {

[[gnu::hot]] static void hoopguard_mask_utility(PlannedStmt* statement, const char* source, bool read_only_tree,
                                                ProcessUtilityContext context, ParamListInfo parameters,
                                                QueryEnvironment* environment, DestReceiver* destination,
                                                QueryCompletion* completion) {
    PlannedStmt* const prepared = hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility",
                                                       [statement] { return prepare(statement); });
    if (prepared == nullptr) return;
    bool const changes_speaker = may_change_speaker(prepared);
    auto* next = prev_ProcessUtility != nullptr ? prev_ProcessUtility : standard_ProcessUtility;
    next(prepared, source, read_only_tree, context, parameters, environment, destination, completion);
    if (changes_speaker) ResetPlanCache();
}

}  // extern "C"

void hoopguard::hooks::install_mask_utility() {
    prev_ProcessUtility = ProcessUtility_hook;
    ProcessUtility_hook = hoopguard_mask_utility;
}
