// The shared words, and waiting on them.
#include "policy/standing_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/image.hpp"

#include <cstring>

extern "C" {
#include "access/xlog.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/timestamp.h"
}

namespace hoopguard::policy {

namespace {

constexpr long kSettleMilliseconds = 10000;
constexpr long kDismissMilliseconds = 15000;
constexpr long kLeaveMilliseconds = 5000;
constexpr std::size_t kProblemSize = 1024;

struct Standing {
    pg_atomic_uint64 generation;
    pg_atomic_uint64 requested;  // committed changes
    pg_atomic_uint64 served;     // the last one that the broker has looked at …
    pg_atomic_uint64 published;  // … and the last one that came into force
    pg_atomic_uint32 settled;
    pg_atomic_uint64 dismissed_until;  // TimestampTz
    pg_atomic_uint64 keys_asked_for;
    TimestampTz started_at;
    bool stale_at_start;
    ConditionVariable changed;
    slock_t lock;  // guards what follows
    PGPROC* broker;
    PGPROC* launcher;
    PGPROC* key_fetcher;
    int broker_pid;
    char problem[kProblemSize];
};

Standing* standing = nullptr;
bool broker_here = false;

TimestampTz after(TimestampTz from, long milliseconds) {
    return TimestampTzPlusMilliseconds(from, milliseconds);
}

// Nothing in the directory is trusted before it has been read: an image that does not open is passed over here,
// and the broker writes a new one.
std::uint64_t newest_generation(const Store& images) {
    auto const found = images.generations();
    if (!found) throw pg::Refusal(ERRCODE_IO_ERROR, pg::format("%s", found.error().message.c_str()));
    return found->empty() ? 0 : found->back();
}

void wake(PGPROC* process) noexcept {
    if (process != nullptr) SetLatch(&process->procLatch);
}

void forget(PGPROC* Standing::*who) noexcept {
    SpinLockAcquire(&standing->lock);
    if (standing->*who == MyProc) standing->*who = nullptr;
    if (standing->broker_pid == MyProcPid) standing->broker_pid = 0;
    SpinLockRelease(&standing->lock);
}

void start(Standing& fresh) {
    auto const images = store();
    if (auto status = images.prepare(); !status)
        throw pg::Refusal(
            ERRCODE_IO_ERROR, pg::format("%s", status.error().message.c_str()), nullptr,
            "hoopguard.journal_directory must be writable for the operating system user of the server.");
    auto const generation = newest_generation(images);
    auto const marks = images.marks();
    pg_atomic_init_u64(&fresh.generation, generation);
    pg_atomic_init_u64(&fresh.requested, 0);
    pg_atomic_init_u64(&fresh.served, 0);
    pg_atomic_init_u64(&fresh.published, 0);
    pg_atomic_init_u32(&fresh.settled, 0);
    pg_atomic_init_u64(&fresh.dismissed_until, 0);
    pg_atomic_init_u64(&fresh.keys_asked_for, 0);
    fresh.started_at = GetCurrentTimestamp();
    fresh.stale_at_start = !marks || !marks->empty();
    ConditionVariableInit(&fresh.changed);
    SpinLockInit(&fresh.lock);
}

}  // namespace

void request_shared() {
    pg::call([] { RequestAddinShmemSpace(MAXALIGN(sizeof(Standing))); });
}

void attach_shared() {
    bool found = false;
    standing = pg::call([&found] {
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        auto* at = static_cast<Standing*>(ShmemInitStruct("hoopguard policy", sizeof(Standing), &found));
        LWLockRelease(AddinShmemInitLock);
        return at;
    });
    if (found) return;
    *standing = Standing{};
    start(*standing);
}

Store store() {
    std::string directory(pg::settings.journal_directory);
    if (!is_absolute_path(directory.c_str())) directory.insert(0, std::string(DataDir) + "/");
    return Store(directory + "/policy");
}

[[gnu::hot]] std::uint64_t generation_in_force() noexcept {
    return pg_atomic_read_u64(&standing->generation);
}

bool is_settled() noexcept {
    return pg_atomic_read_u32(&standing->settled) != 0;
}

bool was_stale_at_start() noexcept {
    return standing->stale_at_start;
}

void wait_until_settled() {
    // What the broker runs before it has settled anything must not wait for the broker.
    if (broker_here) return;
    auto const deadline = after(standing->started_at, kSettleMilliseconds);
    pg::call([deadline] {
        ConditionVariablePrepareToSleep(&standing->changed);
        while (!is_settled()) {
            long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
            if (left <= 0) break;
            ConditionVariableTimedSleep(&standing->changed, left, PG_WAIT_EXTENSION);
        }
        ConditionVariableCancelSleep();
    });
}

void wait_for_other_generation(std::uint64_t generation, long milliseconds) {
    auto const deadline = after(GetCurrentTimestamp(), milliseconds);
    pg::call([generation, deadline] {
        ConditionVariablePrepareToSleep(&standing->changed);
        while (generation_in_force() == generation) {
            long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
            if (left <= 0) break;
            ConditionVariableTimedSleep(&standing->changed, left, PG_WAIT_EXTENSION);
        }
        ConditionVariableCancelSleep();
    });
}

std::uint64_t request_compilation() noexcept {
    auto const request = pg_atomic_add_fetch_u64(&standing->requested, 1);
    wake_broker();
    return request;
}

void wake_broker() noexcept {
    SpinLockAcquire(&standing->lock);
    auto* const broker = standing->broker;
    auto* const launcher = standing->launcher;
    SpinLockRelease(&standing->lock);
    wake(broker != nullptr ? broker : launcher);
}

Compilation wait_for_compilation(std::uint64_t request, long milliseconds) noexcept {
    auto const deadline = after(GetCurrentTimestamp(), milliseconds);
    ConditionVariablePrepareToSleep(&standing->changed);
    while (pg_atomic_read_u64(&standing->served) < request) {
        long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
        if (left <= 0) break;
        ConditionVariableTimedSleep(&standing->changed, left, PG_WAIT_EXTENSION);
    }
    ConditionVariableCancelSleep();
    if (pg_atomic_read_u64(&standing->published) >= request) return Compilation::kPublished;
    return pg_atomic_read_u64(&standing->served) >= request ? Compilation::kFailed : Compilation::kPending;
}

std::uint64_t last_request() noexcept {
    return pg_atomic_read_u64(&standing->requested);
}

void bring_into_force(std::uint64_t generation) noexcept {
    pg_atomic_write_u64(&standing->generation, generation);
    pg_write_barrier();
}

void publish(std::uint64_t generation, std::uint64_t served, const char* problem) noexcept {
    SpinLockAcquire(&standing->lock);
    strlcpy(standing->problem, problem, kProblemSize);
    SpinLockRelease(&standing->lock);
    // The image first: whoever sees the request served must find its policy in force.
    pg_atomic_write_u64(&standing->generation, generation);
    if (problem[0] == '\0') pg_atomic_write_u64(&standing->published, served);
    pg_write_barrier();
    pg_atomic_write_u64(&standing->served, served);
    pg_atomic_write_u32(&standing->settled, 1);
    ConditionVariableBroadcast(&standing->changed);
}

std::string problem() {
    char text[kProblemSize];
    SpinLockAcquire(&standing->lock);
    std::memcpy(text, standing->problem, kProblemSize);
    SpinLockRelease(&standing->lock);
    return text;
}

void register_broker() noexcept {
    broker_here = true;
    SpinLockAcquire(&standing->lock);
    standing->broker = MyProc;
    standing->broker_pid = MyProcPid;
    SpinLockRelease(&standing->lock);
    before_shmem_exit(
        [](int, Datum) noexcept {
            forget(&Standing::broker);
            ConditionVariableBroadcast(&standing->changed);
        },
        0);
}

void register_launcher() noexcept {
    SpinLockAcquire(&standing->lock);
    standing->launcher = MyProc;
    SpinLockRelease(&standing->lock);
    before_shmem_exit([](int, Datum) noexcept { forget(&Standing::launcher); }, 0);
}

void ask_for_keys() noexcept {
    pg_atomic_fetch_add_u64(&standing->keys_asked_for, 1);
    SpinLockAcquire(&standing->lock);
    auto* const fetcher = standing->key_fetcher;
    SpinLockRelease(&standing->lock);
    wake(fetcher);
}

std::uint64_t keys_asked_for() noexcept {
    return pg_atomic_read_u64(&standing->keys_asked_for);
}

void register_key_fetcher() noexcept {
    SpinLockAcquire(&standing->lock);
    standing->key_fetcher = MyProc;
    SpinLockRelease(&standing->lock);
    before_shmem_exit([](int, Datum) noexcept { forget(&Standing::key_fetcher); }, 0);
}

bool is_broker() noexcept {
    return broker_here;
}

int broker_pid() noexcept {
    SpinLockAcquire(&standing->lock);
    int const pid = standing->broker_pid;
    SpinLockRelease(&standing->lock);
    return pid;
}

void dismiss_broker() {
    pg_atomic_write_u64(&standing->dismissed_until,
                        static_cast<std::uint64_t>(after(GetCurrentTimestamp(), kDismissMilliseconds)));
    SpinLockAcquire(&standing->lock);
    auto* const broker = standing->broker;
    SpinLockRelease(&standing->lock);
    wake(broker);
    auto const deadline = after(GetCurrentTimestamp(), kLeaveMilliseconds);
    pg::call([deadline] {
        ConditionVariablePrepareToSleep(&standing->changed);
        while (broker_pid() != 0) {
            long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
            if (left <= 0) break;
            ConditionVariableTimedSleep(&standing->changed, left, PG_WAIT_EXTENSION);
        }
        ConditionVariableCancelSleep();
    });
}

bool is_broker_dismissed() noexcept {
    return static_cast<TimestampTz>(pg_atomic_read_u64(&standing->dismissed_until)) > GetCurrentTimestamp();
}

}  // namespace hoopguard::policy
