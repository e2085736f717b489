// The journal as a backend sees it: append an entry, wait until it is durable.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hoopguard::record {

class EntryWriter;

// What an entry may draw on when the ring is nearly full. Ordinary entries wait briefly and interruptibly,
// then fail closed; closing ones (outcomes, ends of transactions and sessions, failures) use room kept back
// for them, never wait and never raise: what cannot be placed is counted as lost.
enum class Room { kOrdinary, kClosing };

// Appends a finished entry and returns the position after it. With kOrdinary throws pg::Refusal 53100
// (journal full) or 58030 (journal fault) unless journal_failure_action allows, or the speaker is a rescuer,
// in which case the loss is counted and 0 returned.
std::uint64_t append(EntryWriter& entry, Room room);

// Returns when everything before `position` is durable. Interruptible. Throws pg::Refusal 58030 when the
// journal has failed.
void wait_durable(std::uint64_t position);

// Shared memory: bytes to request, and attaching (the first process recovers the journal). attach may raise.
std::size_t shared_size();
void attach_shared();

}  // namespace hoopguard::record
