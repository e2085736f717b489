// The places of those who wait, and waking them.
#include "approve/waiting_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"

#include <algorithm>

extern "C" {
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
}

namespace hoopguard::approve {

namespace {

constexpr long kSliceMilliseconds = 1000;

struct Place {
    pg_atomic_uint32 taken;
    pg_atomic_uint32 woken;
    pg_atomic_uint64 request;
    PGPROC* who;
    bool counted;
};

struct Places {
    pg_atomic_uint32 counted;  // statements that wait
    int size;
    Place all[FLEXIBLE_ARRAY_MEMBER];
};

Places* places = nullptr;
Place* mine = nullptr;

Size shared_size() {
    return offsetof(Places, all) + sizeof(Place) * static_cast<Size>(MaxBackends);
}

void leave() noexcept {
    if (mine == nullptr) return;
    Place& place = *mine;
    mine = nullptr;
    pg_atomic_write_u64(&place.request, 0);
    if (place.counted) pg_atomic_fetch_sub_u32(&places->counted, 1);
    place.counted = false;
    pg_write_barrier();
    pg_atomic_write_u32(&place.taken, 0);
}

void arrange_leaving() {
    static bool arranged = false;
    if (arranged) return;
    pg::call([] { before_shmem_exit([](int, Datum) noexcept { leave(); }, 0); });
    arranged = true;
}

Place* free_place() noexcept {
    for (int i = 0; i < places->size; ++i) {
        std::uint32_t free = 0;
        if (pg_atomic_compare_exchange_u32(&places->all[i].taken, &free, 1)) return &places->all[i];
    }
    return nullptr;
}

bool count_in() noexcept {
    auto const before = pg_atomic_fetch_add_u32(&places->counted, 1);
    if (before < static_cast<std::uint32_t>(pg::settings.approval_max_waiting)) return true;
    pg_atomic_fetch_sub_u32(&places->counted, 1);
    return false;
}

}  // namespace

void request_shared() {
    pg::call([] {
        RequestAddinShmemSpace(MAXALIGN(shared_size()));
        pg::request_approval_wait();
    });
}

void attach_shared() {
    bool found = false;
    places = pg::call([&found] {
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        auto* at = static_cast<Places*>(ShmemInitStruct("hoopguard waiting sessions", shared_size(), &found));
        LWLockRelease(AddinShmemInitLock);
        return at;
    });
    if (found) return;
    pg_atomic_init_u32(&places->counted, 0);
    places->size = MaxBackends;
    for (int i = 0; i < places->size; ++i) {
        Place& place = places->all[i];
        pg_atomic_init_u32(&place.taken, 0);
        pg_atomic_init_u32(&place.woken, 0);
        pg_atomic_init_u64(&place.request, 0);
        place.who = nullptr;
        place.counted = false;
    }
}

Waiting::Waiting(std::uint64_t request, bool counted) {
    arrange_leaving();
    if (mine != nullptr || (counted && !count_in())) return;
    Place* const place = free_place();
    if (place == nullptr) {
        if (counted) pg_atomic_fetch_sub_u32(&places->counted, 1);
        return;
    }
    place->who = MyProc;
    place->counted = counted;
    pg_atomic_write_u32(&place->woken, 0);
    pg_write_barrier();
    pg_atomic_write_u64(&place->request, request);
    mine = place;
    admitted_ = true;
}

Waiting::~Waiting() {
    if (admitted_) leave();
}

bool Waiting::wait_until(std::int64_t deadline) {
    for (;;) {
        if (pg_atomic_exchange_u32(&mine->woken, 0) != 0) return true;
        long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
        if (left <= 0) return false;
        pg::call([left] {
            (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                            std::min(left, kSliceMilliseconds), pg::approval_wait_event());
            ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
        });
    }
}

void wake(std::uint64_t request) noexcept {
    for (int i = 0; i < places->size; ++i) {
        Place& place = places->all[i];
        if (pg_atomic_read_u64(&place.request) != request) continue;
        auto* const who = place.who;
        pg_atomic_write_u32(&place.woken, 1);
        pg_memory_barrier();
        if (who != nullptr) SetLatch(&who->procLatch);
    }
}

unsigned waiting_statements() noexcept {
    return pg_atomic_read_u32(&places->counted);
}

}  // namespace hoopguard::approve
