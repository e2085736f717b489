// Slots in groups; a key belongs to one group. A group's spinlock guards its slots, for some dozen comparisons.
#include "decide/windows_pg.hpp"

#include "decide/window.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

#include <array>

extern "C" {
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"
}

namespace hoopguard::decide {

namespace {

constexpr std::size_t kGroups = 128;
constexpr std::size_t kSlots = 16;

struct Slot {
    CountKey key;
    bool used;
    Window window;
};

struct Group {
    slock_t lock;
    std::array<Slot, kSlots> slots;
};

struct Table {
    std::array<Group, kGroups> groups;
};

Table* table = nullptr;

Group& group_of(const CountKey& key) noexcept {
    return table->groups[key.low % kGroups];
}

Slot* find(Group& group, const CountKey& key) noexcept {
    for (auto& slot : group.slots)
        if (slot.used && slot.key == key) return &slot;
    return nullptr;
}

// A slot for `key`: its own, else one that is free or whose rows count no more.
Slot* take_slot(Group& group, const CountKey& key, std::int64_t length, std::int64_t now) noexcept {
    Slot* slot = find(group, key);
    // A guardrail whose interval was changed counts anew.
    if (slot != nullptr && slot->window.length() == length) return slot;
    for (auto& one : group.slots)
        if (slot == nullptr && (!one.used || one.window.is_over(now))) slot = &one;
    if (slot == nullptr) return nullptr;
    slot->key = key;
    slot->used = true;
    slot->window.begin(length);
    return slot;
}

}  // namespace

void request_shared() {
    pg::call([] { RequestAddinShmemSpace(MAXALIGN(sizeof(Table))); });
}

void attach_shared() {
    bool found = false;
    table = pg::call([&found] {
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        auto* const at = static_cast<Table*>(ShmemInitStruct("hoopguard counts", sizeof(Table), &found));
        LWLockRelease(AddinShmemInitLock);
        return at;
    });
    if (found) return;
    new (table) Table();
    for (auto& group : table->groups) SpinLockInit(&group.lock);
}

std::optional<std::uint64_t> count_within(const CountKey& key, std::int64_t length, std::uint64_t rows) {
    std::int64_t const now = GetCurrentTimestamp();
    auto& group = group_of(key);
    std::uint64_t total = 0;
    SpinLockAcquire(&group.lock);
    auto* const slot = take_slot(group, key, length, now);
    if (slot != nullptr) total = slot->window.add(now, rows);
    SpinLockRelease(&group.lock);
    if (slot == nullptr) return std::nullopt;
    return total;
}

void take_back(const CountKey& key, std::uint64_t rows) noexcept {
    auto& group = group_of(key);
    SpinLockAcquire(&group.lock);
    if (auto* const slot = find(group, key)) slot->window.take_back(rows);
    SpinLockRelease(&group.lock);
}

}  // namespace hoopguard::decide
