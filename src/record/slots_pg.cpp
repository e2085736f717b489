// Moving what stands in slots into the ring.
#include "record/slots_pg.hpp"

#include "pg/compat.hpp"
#include "record/entry.hpp"
#include "record/journal_shared_pg.hpp"

#include <sched.h>
#include <cstring>

extern "C" {
#include "miscadmin.h"
#include "storage/proc.h"
}

namespace hoopguard::record {
namespace {

// Whoever claimed the slot needs a microsecond, if it is not kept from its processor.
void wait_until_moved(const Slot& slot) noexcept {
    for (int turn = 0; slot.state() != SlotState::kMoved && slot.state() != SlotState::kOpen; ++turn)
        if (turn > 100) sched_yield();
}

// Of a slot that this process claimed. Outcomes and ends may use what is kept back, and so may this: the statement
// runs, or has run.
[[gnu::hot]] std::uint64_t reserve(Slot& slot, std::size_t length, RingPlace& place) noexcept {
    if (!ring().reserve(shared()->tail, kCommitWordSize + length, 0, place)) return 0;
    slot.set(SlotState::kMoving, place.position);
    return place.position + kCommitWordSize + length;
}

void lose(Slot& slot) noexcept {
    slot.set(SlotState::kIdle);
    lose_entry();
}

// Of a slot that this process claimed. 0: the ring is full, and the slot open again.
std::uint64_t move_begun(Slot& slot) noexcept {
    std::size_t const length = EntryView(slot.entry()).length();
    RingPlace place;
    std::uint64_t const end = reserve(slot, length, place);
    if (end == 0) {
        slot.set(SlotState::kOpen);
        return 0;
    }
    std::memcpy(place.entry(), slot.entry(), length);
    seal_closed(place.entry(), shared()->identity.nonce, place.position);
    publish_entry(place, end);
    slot.set(SlotState::kMoved, place.position);
    return end;
}

}  // namespace

[[gnu::hot]] Slot* idle_slot() noexcept {
    Shared* const journal = shared();
    auto const mine = static_cast<std::uint32_t>(pg::process_number());
    if (journal == nullptr || mine >= slots().count() || journal->fault.load(std::memory_order_relaxed) != 0)
        return nullptr;
    std::uint64_t const needed = kSlotSize + journal->closing_margin;
    if (journal->tail.load(std::memory_order_relaxed) + needed > ring().copied() + ring().size()) return nullptr;
    Slot& slot = slots()[mine];
    return slot.state() == SlotState::kIdle ? &slot : nullptr;
}

[[gnu::hot]] void open_slot(Slot& slot, std::uint64_t now) noexcept {
    slot.open(now);
    if (shared()->asleep.load(std::memory_order_seq_cst) != 0) wake_sealer();
}

[[gnu::hot]] bool end_slot(Slot& slot, base::ByteView fields, unsigned count, std::uint64_t* end) noexcept {
    if (!slot.claim()) {
        settle_slot(slot);
        return false;
    }
    WholeEntry const whole = {slot.entry(), slot.front(), fields, count};
    RingPlace place;
    *end = reserve(slot, whole.length(), place);
    if (*end == 0) {
        lose(slot);
        return true;
    }
    whole.write(place.entry(), shared()->identity.nonce, place.position);
    publish_entry(place, *end);
    slot.set(SlotState::kIdle);
    return true;
}

std::uint64_t settle_slot(Slot& slot) noexcept {
    std::uint64_t end = 0;
    while (slot.state() != SlotState::kMoved) {
        if (!slot.claim()) {
            wait_until_moved(slot);
            continue;
        }
        end = move_begun(slot);
        if (end != 0) break;
        lose(slot);
        return 0;
    }
    slot.set(SlotState::kIdle);
    return end;
}

void record_open_since(std::uint64_t moment) noexcept {
    for (std::uint32_t at = 0; at < slots().count(); ++at) {
        Slot& slot = slots()[at];
        if (slot.state() == SlotState::kOpen && slot.opened_at() <= moment && slot.claim()) move_begun(slot);
    }
}

void record_all_open() noexcept {
    if (shared() != nullptr) record_open_since(UINT64_MAX);
}

bool any_slot_open() noexcept {
    for (std::uint32_t at = 0; at < slots().count(); ++at)
        if (slots()[at].state() == SlotState::kOpen) return true;
    return false;
}

}  // namespace hoopguard::record
