// The journal as a backend sees it: append an entry, wait until it is in a segment or durable there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hoopguard::record {

class EntryWriter;

// What an entry may draw on when the ring is nearly full. Ordinary entries wait briefly and interruptibly,
// then fail closed; closing ones (outcomes, ends of transactions and sessions, failures) use room kept back
// for them, never wait and never raise: what cannot be placed is counted as lost.
enum class Room { kOrdinary, kClosing };

// Appends an entry whose fields are all added (finish() is called here) and returns the position after it:
// its own is that minus the entry's length and commit word. With kOrdinary throws pg::Refusal 53100 (journal
// full) or 58030 (journal fault) unless journal_failure_action allows, or the speaker is a rescuer; then the
// loss is counted and 0 returned, as it is where the server records nothing (binary upgrade).
std::uint64_t append(EntryWriter& entry, Room room);

// The position after the last entry that anybody appended so far.
std::uint64_t tail() noexcept;

// Returns when everything before `position` is in segments, where readers find it; false when that did not
// happen within `timeout` milliseconds. Interruptible.
bool wait_copied(std::uint64_t position, int timeout);

// Returns when everything before `position` is durable. Interruptible. Throws pg::Refusal 58030 when the
// journal has failed.
void wait_durable(std::uint64_t position);

// Asks for a signed checkpoint over everything appended so far; false when none was signed within `timeout`
// milliseconds. Interruptible. Throws pg::Refusal 58030 when the journal has failed.
bool request_checkpoint(int timeout);
// The newest signed checkpoint as the signed note it is, or "" before there is one.
std::string last_checkpoint();

// The journal's numbers, for status() and doctor(); each is exact, together they are no snapshot.
struct JournalState {
    bool recording;         // false in binary upgrade
    std::uint64_t tail;     // bytes appended to this origin, commit words included
    std::uint64_t copied;   // of these, in segments
    std::uint64_t durable;  // of these, durable in segments
    std::uint64_t ring_size;
    std::uint64_t tree_size;         // entries in segments
    std::uint64_t segment;           // number of the one being written
    std::uint64_t recovered;         // entries taken from the ring at start
    std::uint64_t gaps;              // found at start
    std::uint64_t waits;             // appends that found the ring full
    std::uint64_t refusals;          // statements refused because they could not be recorded
    std::uint64_t losses;            // entries lost, all of them admitted losses
    std::uint64_t flushes;           // fdatasync calls for durability
    std::uint64_t signed_size;       // entries that the newest checkpoint covers
    std::uint64_t signed_at;         // its time, nanoseconds since 1970-01-01 UTC; 0: none yet
    std::uint64_t command_failures;  // of checkpoint_command
    int stuck;                       // errno that keeps the sealer from going on at this moment, or 0
    int fault;                       // errno of a failed flush, or EIO for a damaged ring: until restart
    const char* origin_directory;    // absolute
    const char* previous_origin;     // hex of the origin that this one was copied from, or ""
};
JournalState journal_state() noexcept;

// Shared memory: what to ask for before the server starts, and attaching (the first process recovers the
// journal). Both may raise; attaching throws pg::Refusal with the remedy when the journal cannot be gone on with.
void request_shared();
void attach_shared();

}  // namespace hoopguard::record
