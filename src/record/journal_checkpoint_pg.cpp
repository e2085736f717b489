// Asking the notary for a checkpoint, and knowing when everybody else has gone.
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "record/journal_pg.hpp"
#include "record/journal_shared_pg.hpp"

#include <cstring>
#include <ctime>

extern "C" {
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/proc.h"
#include "utils/wait_event.h"
}

namespace hoopguard::record {
namespace {

long milliseconds_since(const timespec& begun) noexcept {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (time.tv_sec - begun.tv_sec) * 1000 + (time.tv_nsec - begun.tv_nsec) / 1'000'000;
}

bool is_walsender(int pid) noexcept {
    for (int i = 0; i < max_wal_senders; ++i)
        if (WalSndCtl->walsnds[i].pid == pid) return true;
    return false;
}

struct StopsSleeping {
    StopsSleeping() noexcept = default;
    StopsSleeping(const StopsSleeping&) = delete;
    StopsSleeping& operator=(const StopsSleeping&) = delete;
    ~StopsSleeping() { ConditionVariableCancelSleep(); }
};

}  // namespace

void wake_notary() noexcept {
    Latch* const notary = shared()->notary.load(std::memory_order_acquire);
    if (notary != nullptr) SetLatch(notary);
}

bool request_checkpoint(int timeout) {
    Shared* const journal = shared();
    if (journal == nullptr || !journal->recording || journal->alone) return false;
    std::uint64_t const ticket = journal->requested.fetch_add(1) + 1;
    timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    StopsSleeping const stops;
    while (journal->served.load() < ticket) {
        // Nothing is signed any more that is not durable.
        if (int const fault = journal->fault.load(); fault != 0)
            throw pg::Refusal(ERRCODE_IO_ERROR, pg::format("the journal has failed: %s", std::strerror(fault)),
                              nullptr, "Mend the disk under hoopguard.journal_directory and restart the server.");
        wake_notary();
        long const left = timeout - milliseconds_since(begun);
        if (left <= 0) return false;
        long const slice = Min(left, 100L);
        pg::call([journal, ticket, slice] {
            ConditionVariablePrepareToSleep(&journal->served_changed);
            if (journal->served.load() < ticket)
                (void)ConditionVariableTimedSleep(&journal->served_changed, slice, PG_WAIT_EXTENSION);
        });
    }
    return true;
}

std::string last_checkpoint() {
    Shared* const journal = shared();
    if (journal == nullptr || !journal->recording) return {};
    char note[sizeof journal->note];
    LWLockAcquire(journal->drained_lock, LW_SHARED);
    std::memcpy(note, journal->note, sizeof note);
    LWLockRelease(journal->drained_lock);
    return note;
}

bool others_at_work() noexcept {
    // Walsenders end after everybody else, when no background worker may live any more; auxiliary processes
    // stand behind MaxBackends and append nothing.
    Shared* const journal = shared();
    Latch* const sealer = journal->sealer.load();
    Latch* const notary = journal->notary.load();
    for (int i = 0; i < MaxBackends; ++i) {
        PGPROC* const process = &ProcGlobal->allProcs[i];
        // A slot keeps its pid after its process has gone; its latch loses its owner (ProcKill).
        int const pid = process->procLatch.owner_pid;
        if (pid == 0 || pid == MyProcPid || &process->procLatch == sealer || &process->procLatch == notary)
            continue;
        if (!is_walsender(pid)) return true;
    }
    return false;
}

}  // namespace hoopguard::record
