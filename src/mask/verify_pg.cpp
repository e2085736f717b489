// The check of finished plans.
#include "mask/verify_pg.hpp"

#include "classify/constraint_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/plan_check_pg.hpp"
#include "mask/plan_stamp_pg.hpp"
#include "mask/referential_pg.hpp"
#include "pg/report.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
}

namespace hoopguard::mask {

namespace {

// A parallel worker runs a part of a plan that its leader brought here: the nodes above, which may hold the masks,
// are not in it.
bool is_share_of_leader(const QueryDesc* query) {
    return query->dest != nullptr && query->dest->mydest == DestTupleQueue;
}

[[gnu::noinline]] Inspection look(PlannedStmt* plan) {
    Inspection found;
    std::uint64_t made_under;
    bool const stamped = find_stamp(plan, &made_under);
    found.classified = stamped;
    if (stamped && made_under == kReferentialStamp && classify::in_constraint_context()) return found;
    found.stale = stamped && made_under != fingerprint();
    if (found.stale || (!any_in_force() && !any_observed())) return found;
    PlanCheck check = {};
    if (any_in_force())
        check = check_plan(plan);
    else
        check.masked = observe_plan(plan);
    found.breach_relation = check.breach_relation;
    found.breach_column = check.breach_column;
    auto const count = static_cast<std::size_t>(list_length(check.masked));
    auto* names = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * (count + 1)));
    for (std::size_t i = 0; i < count; ++i)
        names[i] = static_cast<const char*>(list_nth(check.masked, static_cast<int>(i)));
    found.masked = {names, count};
    return found;
}

}  // namespace

Inspection inspect(const classify::Statement& statement, const identify::Actor& actor) {
    if (statement.query == nullptr || is_share_of_leader(statement.query)) return {};
    look_at(actor);
    PlannedStmt* plan = statement.plan;
    return pg::call([plan] {
        // A plan from a cache may have been taken without a look at what others changed: locks that the
        // transaction already holds bring no news (LockAcquireExtended).
        if (any_in_force()) AcceptInvalidationMessages();
        return look(plan);
    });
}

void verify(const Inspection& inspection) {
    if (inspection.stale) {
        pg::call([] { ResetPlanCache(); });
        throw pg::Refusal(ERRCODE_T_R_SERIALIZATION_FAILURE,
                          "this plan was made under other masks than those in force now", nullptr,
                          "Run the statement again: it will be planned anew.");
    }
    if (inspection.breach_relation == 0) return;
    const char* const relation = pg::call([&] { return get_rel_name(inspection.breach_relation); });
    const char* const column =
        pg::call([&] { return get_attname(inspection.breach_relation, inspection.breach_column, true); });
    pg::call([] { ResetPlanCache(); });
    throw pg::Refusal(ERRCODE_INTERNAL_ERROR,
                      pg::format("the plan of this statement would show masked column \"%s\" of \"%s\"",
                                 column ? column : "?", relation ? relation : "?"),
                      nullptr,
                      "If the column was classified while this transaction was open, run it again. Otherwise this "
                      "is a fault of hoopguard; nothing was shown.");
}

}  // namespace hoopguard::mask
