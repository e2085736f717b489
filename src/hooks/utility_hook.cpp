// Utility statements: gate before they run; their outcome is recorded here, in success and in error.
#include "approve/resting_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pipeline.hpp"
#include "pipeline_running.hpp"
#include "policy/release_pg.hpp"
#include "record/outcome_pg.hpp"
#include "record/statements_pg.hpp"

namespace {

ProcessUtility_hook_type prev_ProcessUtility = nullptr;

hoopguard::classify::Statement statement_of(PlannedStmt* plan, const char* source, ParamListInfo parameters) {
    hoopguard::classify::Statement statement;
    statement.text = hoopguard::classify::own_text(source, plan);
    statement.source = source;
    statement.tag = CreateCommandTag(plan->utilityStmt);
    statement.plan = plan;
    statement.parameters = parameters;
    statement.nested = hoopguard::record::is_running();
    return statement;
}

void check_cursor(Node* node) {
    if (IsA(node, FetchStmt)) hoopguard::approve::check_cursor(reinterpret_cast<FetchStmt*>(node)->portalname);
}

void remember_cursor(Node* node) {
    if (!IsA(node, DeclareCursorStmt)) return;
    auto const* const cursor = reinterpret_cast<DeclareCursorStmt*>(node);
    if ((cursor->options & CURSOR_OPT_HOLD) != 0) hoopguard::approve::remember_cursor(cursor->portalname);
}

}  // namespace

extern "C" {

[[gnu::hot]] static void hoopguard_ProcessUtility(PlannedStmt* plan, const char* source, bool read_only_tree,
                                                  ProcessUtilityContext context, ParamListInfo parameters,
                                                  QueryEnvironment* environment, DestReceiver* destination,
                                                  QueryCompletion* completion) {
    auto* next = prev_ProcessUtility ? prev_ProcessUtility : standard_ProcessUtility;
    if (!hoopguard::identify::is_recorded_process()) {
        next(plan, source, read_only_tree, context, parameters, environment, destination, completion);
        return;
    }
    std::size_t const depth = hoopguard::record::running_depth();
    QueryCompletion own = {};
    // COPY counts its rows here, wanted or not.
    if (completion == nullptr && IsA(plan->utilityStmt, CopyStmt)) completion = &own;
    hoopguard::pg::observe_error(
        [&] {
            hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility", [=] {
                hoopguard::admit(statement_of(plan, source, parameters));
                check_cursor(plan->utilityStmt);
                hoopguard::policy::release_control_database(plan->utilityStmt);
            });
            // The tree may be gone with the transaction that the command ends.
            bool const declares = IsA(plan->utilityStmt, DeclareCursorStmt);
            next(plan, source, read_only_tree, context, parameters, environment, destination, completion);
            hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility", [=] {
                hoopguard::running::settle_utility(completion != nullptr ? completion->nprocessed : 0);
            });
            if (declares)
                hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility",
                                     [plan] { remember_cursor(plan->utilityStmt); });
        },
        [&] { hoopguard::record::fail_utility(depth, geterrcode()); });
    if (IsA(plan->utilityStmt, DiscardStmt) &&
        reinterpret_cast<const DiscardStmt*>(plan->utilityStmt)->target == DISCARD_ALL)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "DISCARD ALL", [] { hoopguard::identify::log_out(); });
    hoopguard::record::end_utility(depth, completion != nullptr ? completion->nprocessed : 0);
    if (!hoopguard::record::is_running()) hoopguard::approve::stop_watching();
}

}  // extern "C"

void hoopguard::hooks::install_utility() {
    prev_ProcessUtility = ProcessUtility_hook;
    ProcessUtility_hook = hoopguard_ProcessUtility;
}
