// The check of finished plans.
#include "mask/verify_pg.hpp"

#include "classify/constraint_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/labels_pg.hpp"
#include "mask/plan_check_pg.hpp"
#include "mask/plan_stamp_pg.hpp"
#include "mask/referential_pg.hpp"
#include "pg/beside_plans.hpp"
#include "pg/report.hpp"

#include <string>
#include <utility>
#include <vector>

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

struct Look {
    Inspection found;
    bool lasting = false;  // it rests on the plan, the masks in force and the labels alone
};

[[gnu::noinline]] Look look(PlannedStmt* plan) {
    Look look;
    Inspection& found = look.found;
    std::uint64_t made_under;
    bool const stamped = find_stamp(plan, &made_under);
    found.classified = stamped;
    if (stamped && made_under == kReferentialStamp && classify::in_constraint_context()) return look;
    found.stale = stamped && made_under != fingerprint();
    if (found.stale || (!any_in_force() && !any_observed())) return look;
    PlanCheck check = {};
    if (any_in_force())
        check = check_plan(plan);
    else
        check.masked = observe_plan(plan);
    found.breach_relation = check.breach_relation;
    found.breach_column = check.breach_column;
    look.lasting = any_in_force() && check.breach_relation == 0;
    auto const count = static_cast<std::size_t>(list_length(check.masked));
    auto* names = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * (count + 1)));
    for (std::size_t i = 0; i < count; ++i)
        names[i] = static_cast<const char*>(list_nth(check.masked, static_cast<int>(i)));
    found.masked = {names, count};
    return look;
}

// That a plan may run, and what that rests on.
struct Passed {
    std::uint64_t fingerprint;
    std::uint64_t labels;
    bool classified;
    std::vector<std::string> masked;
    std::vector<std::string_view> names;  // into the texts above
};

// Walking a plan costs a short statement more than reading its row: kept plans are walked once.
pg::BesidePlans<Passed>& passed() {
    static pg::BesidePlans<Passed> all;
    return all;
}

const Passed* find_passed(const PlannedStmt* plan) noexcept {
    if (!any_in_force()) return nullptr;
    auto const* const before = passed().find(plan);
    bool const holds =
        before != nullptr && before->fingerprint == fingerprint() && before->labels == label_changes();
    return holds ? before : nullptr;
}

Inspection outcome_of(const Passed& passed) noexcept {
    Inspection found;
    found.classified = passed.classified;
    found.masked = passed.names;
    return found;
}

[[gnu::noinline]] void keep(const PlannedStmt* plan, const Inspection& found, std::uint64_t labels) {
    Passed kept = {fingerprint(), labels, found.classified, {found.masked.begin(), found.masked.end()}, {}};
    kept.names.assign(kept.masked.begin(), kept.masked.end());
    passed().put(plan, std::move(kept));
}

}  // namespace

[[gnu::hot]] Inspection inspect(const classify::Statement& statement, const identify::Actor& actor) {
    if (statement.query == nullptr || is_share_of_leader(statement.query)) return {};
    look_at(actor);
    // A plan from a cache may have been taken without a look at what others changed: locks that the transaction
    // already holds bring no news (LockAcquireExtended).
    if (any_in_force()) pg::call([] { AcceptInvalidationMessages(); });
    PlannedStmt* plan = statement.plan;
    if (std::uint64_t made_under; !any_in_force() && !any_observed() && !find_stamp(plan, &made_under)) return {};
    if (auto const* const before = find_passed(plan)) return outcome_of(*before);
    std::uint64_t const labels = label_changes();  // what changes from here on makes the outcome void
    Look const seen = pg::call([plan] { return look(plan); });
    if (seen.lasting && pg::is_kept(plan)) keep(plan, seen.found, labels);
    return seen.found;
}

[[gnu::hot]] void verify(const Inspection& inspection) {
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
