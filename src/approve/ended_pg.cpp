// A ring of numbers with one writer.
#include "approve/ended_pg.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace hoopguard::approve {

namespace {

constexpr std::uint64_t kRing = 4096;

struct Ended {
    pg_atomic_uint64 count;
    pg_atomic_uint64 grants[kRing];
};

Ended* ended = nullptr;

}  // namespace

void request_ended() {
    pg::call([] { RequestAddinShmemSpace(MAXALIGN(sizeof(Ended))); });
}

void attach_ended() {
    bool found = false;
    ended = pg::call([&found] {
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        auto* at = static_cast<Ended*>(ShmemInitStruct("hoopguard ended grants", sizeof(Ended), &found));
        LWLockRelease(AddinShmemInitLock);
        return at;
    });
    if (found) return;
    pg_atomic_init_u64(&ended->count, 0);
    for (auto& grant : ended->grants) pg_atomic_init_u64(&grant, 0);
}

std::uint64_t ended_count() noexcept {
    return pg_atomic_read_u64(&ended->count);
}

bool has_ended(std::uint64_t grant, std::uint64_t since) noexcept {
    auto const count = ended_count();
    if (count == since) return false;
    pg_read_barrier();
    for (auto at = since; at < count; ++at)
        if (pg_atomic_read_u64(&ended->grants[at % kRing]) == grant) return true;
    // Places that were written over meanwhile tell nothing any more.
    return ended_count() - since >= kRing;
}

void note_ended(std::span<const std::uint64_t> grants) noexcept {
    for (auto const grant : grants) {
        auto const at = pg_atomic_read_u64(&ended->count);
        pg_atomic_write_u64(&ended->grants[at % kRing], grant);
        pg_write_barrier();
        pg_atomic_write_u64(&ended->count, at + 1);
    }
}

}  // namespace hoopguard::approve
