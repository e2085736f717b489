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

pg::BesidePlans<Kept>& kept_plans() {
    static pg::BesidePlans<Kept> all;
    return all;
}

[[gnu::hot]] Footprint footprint_of(const PlannedStmt* plan) {
    Footprint footprint;
    FootprintBuilder builder(footprint);
    footprint.rows_read = classify_plan(plan, builder);
    auto const* top = plan->planTree;
    footprint.cost = top->total_cost;
    footprint.estimated_rows = IsA(top, ModifyTable) && top->lefttree ? top->lefttree->plan_rows : top->plan_rows;
    return footprint;
}

const Footprint& kept_footprint(const PlannedStmt* plan) {
    auto& all = kept_plans();
    auto const* const kept = all.find(plan);
    if (kept != nullptr && kept->epoch == names_epoch) return kept->footprint;
    auto footprint = footprint_of(plan);
    footprint.id = ++last_id;
    return all.put(plan, {std::move(footprint), names_epoch}).footprint;
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
        return footprint = footprint_of(statement.plan);
    }
    footprint = {};
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
    return footprint;
}

Footprint foresee(const PlannedStmt* plan) {
    if (plan->utilityStmt == nullptr) return footprint_of(plan);
    Footprint footprint;
    FootprintBuilder builder(footprint);
    classify_utility(plan->utilityStmt, builder);
    return footprint;
}

}  // namespace hoopguard::classify
