// What is known of plans that PostgreSQL keeps, by their addresses. It goes with the memory that a plan lives in:
// another plan may get the address.
#pragma once

#include "pg/memory.hpp"

#include <cstring>
#include <unordered_map>
#include <utility>

extern "C" {
#include "nodes/plannodes.h"
}

namespace hoopguard::pg {

// Whether a plan cache holds `plan`: only such plans run again.
inline bool is_kept(const PlannedStmt* plan) noexcept {
    auto const* const context = GetMemoryChunkContext(const_cast<PlannedStmt*>(plan));
    return context != nullptr && context->name != nullptr && std::strcmp(context->name, "CachedPlan") == 0;
}

// One for the process, which outlives every plan.
template <typename Value>
class BesidePlans {
 public:
    // Null: nothing is known. Good until the next put(), and as long as the plan.
    const Value* find(const PlannedStmt* plan) const noexcept {
        auto const found = all_.find(plan);
        return found != all_.end() ? &found->second : nullptr;
    }

    // Replaces what was known of `plan`, which must be kept. May throw.
    const Value& put(const PlannedStmt* plan, Value value) {
        auto const [at, is_new] = all_.try_emplace(plan);
        at->second = std::move(value);
        if (is_new) forget_with(plan);
        return at->second;
    }

 private:
    struct Forgetter {
        BesidePlans* all;
        const PlannedStmt* plan;
        Forgetter(BesidePlans* all, const PlannedStmt* plan) noexcept : all(all), plan(plan) {}
        ~Forgetter() { all->all_.erase(plan); }
    };

    void forget_with(const PlannedStmt* plan) {
        try {
            make_in<Forgetter>(GetMemoryChunkContext(const_cast<PlannedStmt*>(plan)), this, plan);
        } catch (...) {
            all_.erase(plan);
            throw;
        }
    }

    std::unordered_map<const PlannedStmt*, Value> all_;
};

}  // namespace hoopguard::pg
