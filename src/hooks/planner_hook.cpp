// Planning: references to masked columns are substituted before, real values behind estimates and index order are
// kept out meanwhile, the plan is stamped with the masks it was made under after.
#include "approve/channels_pg.hpp"
#include "classify/bounds_pg.hpp"
#include "classify/calls_pg.hpp"
#include "classify/plan_pg.hpp"
#include "classify/sensitive_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/session_pg.hpp"
#include "mask/hoist_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/labels_pg.hpp"
#include "mask/literals_pg.hpp"
#include "mask/mask_call_pg.hpp"
#include "mask/node_pg.hpp"
#include "mask/plan_check_pg.hpp"
#include "mask/plan_stamp_pg.hpp"
#include "mask/planning_pg.hpp"
#include "mask/referential_pg.hpp"
#include "mask/substitute_pg.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "utils/selfuncs.h"
}

namespace {

planner_hook_type prev_planner = nullptr;
get_relation_info_hook_type prev_relation_info = nullptr;
get_relation_stats_hook_type prev_relation_stats = nullptr;
get_index_stats_hook_type prev_index_stats = nullptr;

bool hides_statistics(Oid relation, AttrNumber column) {
    return hoopguard::pg::entry(hoopguard::pg::Door::kGate, "planner statistics", [=] {
        hoopguard::mask::look_again();
        return hoopguard::mask::any_in_force() &&
               hoopguard::pg::call([=] { return hoopguard::mask::hides_statistics(relation, column); });
    });
}

// What is found out on the query as it was written.
struct Written {
    List* bounds;    // the notes that travel with the plan
    List* literals;  // likewise
    List* calls;     // likewise
    hoopguard::mask::Substitution substitution;
};

Written read_written(Query* query, ParamListInfo parameters) {
    hoopguard::mask::look_at(hoopguard::identify::current_actor());
    return hoopguard::pg::call([=] {
        Written found = {hoopguard::classify::judge_bounds(query, parameters),
                         hoopguard::mask::judge_literals(query),
                         hoopguard::classify::judge_calls(query),
                         {query, NIL, false, hoopguard::mask::is_referential(query), false}};
        if (!found.substitution.referential && hoopguard::mask::any_in_force())
            found.substitution = hoopguard::mask::substitute(query, parameters);
        return found;
    });
}

void finish(PlannedStmt* plan, int options, const Written& written) {
    // Planning may have run functions under another role.
    hoopguard::mask::look_again();
    hoopguard::pg::call([plan, options, &written] {
        auto const& substitution = written.substitution;
        if (substitution.masked) hoopguard::mask::hoist(plan, options);
        plan->invalItems = list_concat(plan->invalItems, substitution.dependencies);
        plan->dependsOnRole = plan->dependsOnRole || substitution.depends_on_role;
        hoopguard::classify::note_bounds(plan, written.bounds);
        hoopguard::mask::note_literals(plan, written.literals);
        hoopguard::classify::note_calls(plan, written.calls);
        // A query that names none of these does not come to notify by planning either.
        if (written.calls != NIL) hoopguard::approve::guard_notifications(plan);
        if (!hoopguard::mask::reads_classified(plan)) return;
        hoopguard::mask::stamp(
            plan, substitution.referential ? hoopguard::mask::kReferentialStamp : hoopguard::mask::fingerprint());
    });
}

}  // namespace

extern "C" {

[[gnu::hot]] static PlannedStmt* hoopguard_planner(Query* query, const char* source, int options,
                                                   ParamListInfo parameters) {
    // Before planning, which scribbles on it.
    auto const written = hoopguard::pg::entry(hoopguard::pg::Door::kGate, "planner",
                                              [query, parameters] { return read_written(query, parameters); });
    auto* next = prev_planner != nullptr ? prev_planner : standard_planner;
    PlannedStmt* plan = next(written.substitution.query, source, options, parameters);
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "planner", [plan, options, &written] {
        finish(plan, options, written);
        hoopguard::classify::note_expression(plan);
    });
    return plan;
}

[[gnu::hot]] static void hoopguard_relation_info(PlannerInfo* root, Oid relation, bool parent,
                                                 RelOptInfo* planned) {
    if (prev_relation_info != nullptr) prev_relation_info(root, relation, parent, planned);
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "planner indexes", [=] {
        hoopguard::mask::look_again();
        if (hoopguard::mask::any_in_force())
            hoopguard::pg::call([=] { hoopguard::mask::hide_order(relation, planned); });
    });
}

// A hook that says it took over, and gives no statistics: there are none.
[[gnu::hot]] static bool hoopguard_relation_stats(PlannerInfo* root, RangeTblEntry* entry, AttrNumber column,
                                                  VariableStatData* data) {
    if (entry->rtekind == RTE_RELATION && hides_statistics(entry->relid, column)) {
        data->statsTuple = nullptr;
        return true;
    }
    return prev_relation_stats != nullptr && prev_relation_stats(root, entry, column, data);
}

static bool hoopguard_index_stats(PlannerInfo* root, Oid index, AttrNumber column, VariableStatData* data) {
    if (hides_statistics(index, column)) {
        data->statsTuple = nullptr;
        return true;
    }
    return prev_index_stats != nullptr && prev_index_stats(root, index, column, data);
}

}  // extern "C"

void hoopguard::hooks::install_planner() {
    prev_planner = planner_hook;
    planner_hook = hoopguard_planner;
    prev_relation_info = get_relation_info_hook;
    get_relation_info_hook = hoopguard_relation_info;
    prev_relation_stats = get_relation_stats_hook;
    get_relation_stats_hook = hoopguard_relation_stats;
    prev_index_stats = get_index_stats_hook;
    get_index_stats_hook = hoopguard_index_stats;
    hoopguard::mask::register_mask_node();
    hoopguard::mask::watch_roles();
    hoopguard::mask::watch_labels();
    hoopguard::classify::know_classified(hoopguard::mask::selects_classified);
    hoopguard::mask::watch_mask_functions();
}
