// Utility statements: gate before they run; their outcome is recorded here, in success and in error.
#include "hooks/hooks.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pipeline.hpp"
#include "pipeline_running.hpp"
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

}  // namespace

extern "C" {

static void hoopguard_ProcessUtility(PlannedStmt* plan, const char* source, bool read_only_tree,
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
            hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility",
                                 [=] { hoopguard::admit(statement_of(plan, source, parameters)); });
            next(plan, source, read_only_tree, context, parameters, environment, destination, completion);
            hoopguard::pg::entry(hoopguard::pg::Door::kGate, "ProcessUtility", [=] {
                hoopguard::running::settle_utility(completion != nullptr ? completion->nprocessed : 0);
            });
        },
        [&] { hoopguard::record::fail_utility(depth, geterrcode()); });
    hoopguard::record::end_utility(depth, completion != nullptr ? completion->nprocessed : 0);
}

}  // extern "C"

void hoopguard::hooks::install_utility() {
    prev_ProcessUtility = ProcessUtility_hook;
    ProcessUtility_hook = hoopguard_ProcessUtility;
}
