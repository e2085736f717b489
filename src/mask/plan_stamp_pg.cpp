// PlannedStmt has no room for extensions. Its list of invalidation items has: items of a cache that does not exist
// are copied with the plan and match no invalidation (PlanCacheObjectCallback compares the cache's number first).
#include "mask/plan_stamp_pg.hpp"

extern "C" {
#include "catalog/pg_shseclabel.h"
#include "nodes/pathnodes.h"
}

namespace hoopguard::mask {

namespace {

static_assert(kPolicySentinel == SharedSecLabelRelationId);

constexpr int kHighHalf = -0x68470001;
constexpr int kLowHalf = -0x68470002;

PlanInvalItem* carrier(int cache, std::uint32_t half) {
    PlanInvalItem* item = makeNode(PlanInvalItem);
    item->cacheId = cache;
    item->hashValue = half;
    return item;
}

}  // namespace

void stamp(PlannedStmt* plan, std::uint64_t fingerprint) {
    plan->invalItems =
        lappend(plan->invalItems, carrier(kHighHalf, static_cast<std::uint32_t>(fingerprint >> 32)));
    plan->invalItems = lappend(plan->invalItems, carrier(kLowHalf, static_cast<std::uint32_t>(fingerprint)));
    plan->relationOids = lappend_oid(plan->relationOids, kPolicySentinel);
    plan->dependsOnRole = true;
}

[[gnu::hot]] bool find_stamp(const PlannedStmt* plan, std::uint64_t* fingerprint) noexcept {
    bool found = false;
    *fingerprint = 0;
    ListCell* cell;
    foreach (cell, plan->invalItems) {
        auto* item = lfirst_node(PlanInvalItem, cell);
        if (item->cacheId != kHighHalf && item->cacheId != kLowHalf) continue;
        found = true;
        *fingerprint |= std::uint64_t{item->hashValue} << (item->cacheId == kHighHalf ? 32 : 0);
    }
    return found;
}

}  // namespace hoopguard::mask
