// From a statement to its footprint. Footprints of plans that PostgreSQL keeps are kept beside them, by the plan's
// address, and go with the memory that the plan lives in.
#include "classify/classify_pg.hpp"

#include "classify/footprint_builder.hpp"
#include "classify/functions_pg.hpp"
#include "classify/plan_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/memory.hpp"

#include <unordered_map>

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

using KeptPlans = std::unordered_map<const PlannedStmt*, Kept>;

KeptPlans& kept_plans() {
    static KeptPlans all;
    return all;
}

// Lives in the plan's memory; when that goes, another plan may get the address.
class Forgetter {
 public:
    explicit Forgetter(const PlannedStmt* plan) noexcept : plan_(plan) {}
    ~Forgetter() { kept_plans().erase(plan_); }

 private:
    const PlannedStmt* plan_;
};

// Only what a plan cache holds runs again.
bool is_kept(const PlannedStmt* plan) noexcept {
    auto const* const context = GetMemoryChunkContext(const_cast<PlannedStmt*>(plan));
    return context != nullptr && context->name != nullptr && strcmp(context->name, "CachedPlan") == 0;
}

Footprint footprint_of(const PlannedStmt* plan) {
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
    auto found = all.find(plan);
    if (found != all.end() && found->second.epoch == names_epoch) return found->second.footprint;
    auto footprint = footprint_of(plan);
    if (found == all.end()) {
        found = all.try_emplace(plan).first;
        try {
            pg::make_in<Forgetter>(GetMemoryChunkContext(const_cast<PlannedStmt*>(plan)), plan);
        } catch (...) {
            all.erase(plan);
            throw;
        }
    }
    footprint.id = ++last_id;
    found->second = {std::move(footprint), names_epoch};
    return found->second.footprint;
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

const Footprint& classify(const Statement& statement) {
    static Footprint footprint;
    if (statement.query != nullptr) {
        listen_for_names();
        if (is_kept(statement.plan)) return kept_footprint(statement.plan);
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
