// What the journal's processes share beside the ring itself; for record/'s own files and the workers.
//
// The hot words stand on cache lines of their own: `tail` is written by every append, the flags are read by
// every append and written seldom. Everything else is behind a lock or written by one process.
#pragma once

#include "pg/boundary.hpp"
#include "record/ring.hpp"
#include "record/slots.hpp"
#include "record/tree.hpp"

#include <atomic>

extern "C" {
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
}

namespace hoopguard::record {

// How far the sealer has come, all at one moment.
struct Drained {
    std::uint64_t position = 0;
    Frontier frontier;
};

struct Shared {
    // Fixed once recovery is over.
    bool recording;
    bool alone;                // single-user: no sealer will come
    std::atomic<bool> opened;  // this run's open entry is written
    RingIdentity identity;
    std::uint64_t segment_size;
    std::uint64_t closing_margin;  // bytes of the ring that ordinary entries leave free
    std::uint64_t recovered;
    std::uint64_t gaps;
    char origin_directory[MAXPGPATH];
    char previous_origin[33];
    LWLock* flush_lock;    // held while making segments durable
    LWLock* drained_lock;  // protects `drained`

    alignas(PG_CACHE_LINE_SIZE) std::atomic<std::uint64_t> tail;

    alignas(
        PG_CACHE_LINE_SIZE) std::atomic<std::uint32_t> asleep;  // the sealer wants to be woken by the next append
    std::atomic<std::int32_t> stuck;
    std::atomic<std::int32_t> fault;
    std::atomic<Latch*> sealer;

    alignas(PG_CACHE_LINE_SIZE) std::atomic<std::uint32_t> copy_waiters;
    std::atomic<std::uint64_t> waits;
    std::atomic<std::uint64_t> refusals;
    std::atomic<std::uint64_t> losses;
    std::atomic<std::uint64_t> flushes;
    ConditionVariable copied_changed;
    // The segment being written; stored before anything in it counts as copied.
    std::atomic<std::uint64_t> segment;
    // Under flush_lock: the oldest segment with data that may not be durable, and the first whose name may not.
    std::uint64_t first_unsynced;
    std::uint64_t first_unnamed;

    Drained drained;

    // The notary's. A request is served when `served` has reached its number.
    alignas(PG_CACHE_LINE_SIZE) std::atomic<Latch*> notary;
    std::atomic<std::uint32_t> notary_asleep;  // wants to be woken by the sealer's next entry
    std::atomic<std::uint64_t> requested;
    std::atomic<std::uint64_t> served;
    ConditionVariable served_changed;
    std::atomic<std::uint64_t> signed_size;
    std::atomic<std::uint64_t> signed_at;
    std::atomic<std::uint64_t> command_failures;
    std::atomic<std::uint64_t> archive_failures;
    std::atomic<std::uint32_t> archive_failing;  // the last attempt did
    std::atomic<std::uint64_t> archived_below;   // segments below this number are archived
    char note[2048];                             // the newest checkpoint; drained_lock
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<Latch*>::is_always_lock_free);

// Null where this process may not touch shared memory: the syslogger, the postmaster once started.
Shared* shared() noexcept;
Ring& ring() noexcept;
// Empty where nothing is kept back: single-user mode and binary upgrade.
Slots& slots() noexcept;

void wake_sealer() noexcept;
void wake_notary() noexcept;
// Publishes the entry at `position`, which ends at `end`, and wakes the sealer when it sleeps or falls behind.
void publish_entry(const RingPlace& place, std::uint64_t end) noexcept;
// An entry had no place: it is counted, and a loss entry will tell of it. Returns 0, the position after it.
std::uint64_t lose_entry() noexcept;
// Whether a process other than the journal's own and replication's still runs: those may yet append.
bool others_at_work() noexcept;
// For one process without others: what append() does when the ring is full.
void recover_in_place();

// Makes everything that is in segments at this moment durable, or learns that another process did, up to
// `position`. Returns errno of a failure, which is then the journal's for good.
int flush(std::uint64_t position);

}  // namespace hoopguard::record
