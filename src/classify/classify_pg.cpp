// From a statement to its footprint. Footprints of plans that PostgreSQL keeps are kept beside them.
#include "classify/classify_pg.hpp"

#include "classify/footprint_builder.hpp"
#include "classify/functions_pg.hpp"
#include "classify/plan_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/beside_plans.hpp"

extern "C" {
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

std::uint64_t names_epoch = 1;  // renaming a schema makes no plan anew
std::uint64_t last_id = 0;

struct Kept {
    Footprint footprint;
    std::uint64_t epoch;
};

[[gnu::hot]] pg::BesidePlans<Kept>& kept_plans() {
    static pg::BesidePlans<Kept> all;
    return all;
}

[[gnu::hot]] void fill_from_plan(Footprint& footprint, const PlannedStmt* plan) {
    FootprintBuilder builder(footprint);
    footprint.rows_read = classify_plan(plan, builder);
    auto const* top = plan->planTree;
    footprint.cost = top->total_cost;
    footprint.estimated_rows = IsA(top, ModifyTable) && top->lefttree ? top->lefttree->plan_rows : top->plan_rows;
}

[[gnu::noinline]] const Footprint& learn_footprint(const PlannedStmt* plan) {
    Footprint footprint;
    fill_from_plan(footprint, plan);
    footprint.id = ++last_id;
    return kept_plans().put(plan, {std::move(footprint), names_epoch}).footprint;
}

const Footprint& kept_footprint(const PlannedStmt* plan) {
    auto const* const kept = kept_plans().find(plan);
    return kept != nullptr && kept->epoch == names_epoch ? kept->footprint : learn_footprint(plan);
}

[[gnu::noinline]] void fill_from_other(Footprint& footprint, const Statement& statement) {
    FootprintBuilder builder(footprint);
    if (statement.is_fastpath()) {
        auto const effect = effect_of_function(statement.function);
        builder.add(effect.sets_setting ? effect.classes | StatementClass::kConfig : effect.classes);
        if (effect.asks)
            builder.need_further(name_of_function(statement.function),
                                 Need::on(kind_of_function(effect.kind), kExecute));
    } else {
        classify_utility(statement.plan->utilityStmt, builder);
        add_utility_needs(statement.plan->utilityStmt, builder);
    }
}

}  // namespace

extern "C" {

static void hoopguard_schemas_changed(Datum, int, uint32) {
    ++names_epoch;
}

}  // extern "C"

namespace {

void listen_for_names() {
    static bool listening = false;
    if (listening) return;
    pg::call([] { CacheRegisterSyscacheCallback(NAMESPACEOID, hoopguard_schemas_changed, Datum{0}); });
    listening = true;
}

}  // namespace

[[gnu::hot]] const Footprint& classify(const Statement& statement) {
    static Footprint footprint;
    if (statement.query != nullptr) {
        listen_for_names();
        if (pg::is_kept(statement.plan)) return kept_footprint(statement.plan);
    }
    footprint.clear();
    if (statement.query != nullptr)
        fill_from_plan(footprint, statement.plan);
    else
        fill_from_other(footprint, statement);
    return footprint;
}

Footprint foresee(const PlannedStmt* plan) {
    Footprint footprint;
    if (plan->utilityStmt == nullptr) {
        fill_from_plan(footprint, plan);
    } else {
        FootprintBuilder builder(footprint);
        classify_utility(plan->utilityStmt, builder);
    }
    return footprint;
}

}  // namespace hoopguard::classify
