// This process's slot, and those of others that have been open for long.
#pragma once

#include "base/bytes.hpp"
#include "record/slots.hpp"

namespace hoopguard::record {

// How long a statement may stand in its slot before it is put on record as begun; nanoseconds.
inline constexpr std::uint64_t kLongestInSlot = 100'000'000;

// The slot of this process, idle; null where it has none, and where an entry would have to wait or fail: the
// journal has failed, or what is left of the ring is kept back.
Slot* idle_slot() noexcept;
// Opens a slot that was filled at `now`, by the steady clock.
void open_slot(Slot& slot, std::uint64_t now) noexcept;

// Ends the statement in this process's open slot: as one entry with the outcome's fields, of which there are
// `count`. Returns the position after it, 0 when it was lost (and counted). False: it has its entry already, and
// the slot is idle; its outcome is to follow.
bool end_slot(Slot& slot, base::ByteView fields, unsigned count, std::uint64_t* end) noexcept;
// Puts the statement in this process's open slot on record as begun; the slot is idle then. Returns the position
// after it where it is known, else 0.
std::uint64_t settle_slot(Slot& slot) noexcept;

// Puts on record as begun what has been open in any slot since `moment`, by the steady clock, or before.
void record_open_since(std::uint64_t moment) noexcept;
// The same for whatever is open: for readers of the journal.
void record_all_open() noexcept;
bool any_slot_open() noexcept;

}  // namespace hoopguard::record
