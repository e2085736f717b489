// Waiting for the sealer, and making segments durable by the process that needs it.
//
// Whoever holds flush_lock flushes for all who wait, as XLogFlush does; the sealer takes no part, so that
// draining the ring never stops for a disk. A failed fdatasync is for good: the kernel may have dropped what
// it could not write, and a second call that succeeds would prove nothing.
#include "record/journal_pg.hpp"

#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "record/journal_shared_pg.hpp"
#include "record/origin.hpp"

#include <fcntl.h>
#include <cerrno>

extern "C" {
#include "utils/wait_event.h"
}

namespace hoopguard::record {
namespace {

// Counts this process among those whom the sealer tells about every step.
class Waiting {
 public:
    explicit Waiting(Shared& journal) noexcept : journal_(journal) { journal_.copy_waiters.fetch_add(1); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        ConditionVariableCancelSleep();
        journal_.copy_waiters.fetch_sub(1);
    }

 private:
    Shared& journal_;
};

// Whose entry is accepted and only not durable: such an administrator, and by choice everybody, goes on.
bool may_go_on() {
    return pg::settings.on_failure() == pg::FailureAction::kAllow || identify::is_rescuer();
}

void refuse_fault(const Shared& journal) {
    if (may_go_on()) return;
    throw pg::Refusal(ERRCODE_IO_ERROR,
                      pg::format("the journal has failed: %s", std::strerror(journal.fault.load())), nullptr,
                      "Nothing takes effect that is not durably recorded. Mend the disk under "
                      "hoopguard.journal_directory and restart the server.");
}

// Under flush_lock. 0 or errno.
int sync_segments(Shared& journal, std::uint64_t last) noexcept try {
    Files& files = system_files();
    std::string const directory = journal.origin_directory;
    for (std::uint64_t number = journal.first_unsynced; number <= last; ++number) {
        OpenFile file;
        int result = open_file(files, segment_path(directory, number), O_RDWR, file);
        if (result == 0) result = files.sync_data(file.get());
        if (result != 0) return result;
    }
    journal.first_unsynced = last;
    if (last >= journal.first_unnamed) {
        if (int const result = files.sync_directory(directory); result != 0) return result;
        journal.first_unnamed = last + 1;
    }
    return 0;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

}  // namespace

void wake_sealer() noexcept {
    Latch* const sealer = shared()->sealer.load(std::memory_order_acquire);
    if (sealer != nullptr) SetLatch(sealer);
}

bool wait_copied(std::uint64_t position, int timeout) {
    Shared* const journal = shared();
    if (journal == nullptr || !journal->recording || ring().copied() >= position) return true;
    if (journal->alone) {
        recover_in_place();
        return true;
    }
    Waiting const waiting(*journal);
    timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (ring().copied() < position) {
        wake_sealer();
        timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        long const waited = (time.tv_sec - begun.tv_sec) * 1000 + (time.tv_nsec - begun.tv_nsec) / 1'000'000;
        if (waited >= timeout) return false;
        ConditionVariable* const changed = &journal->copied_changed;
        long const slice = Min(timeout - waited, 100L);
        pg::call([changed, position, slice] {
            ConditionVariablePrepareToSleep(changed);
            if (ring().copied() < position) (void)ConditionVariableTimedSleep(changed, slice, PG_WAIT_EXTENSION);
        });
    }
    return true;
}

int flush(std::uint64_t position) {
    Shared& journal = *shared();
    while (ring().durable() < position) {
        if (int const fault = journal.fault.load(); fault != 0) return fault;
        LWLock* const lock = journal.flush_lock;
        if (!pg::call([lock] { return LWLockAcquireOrWait(lock, LW_EXCLUSIVE); })) continue;
        // Another may have failed since: this one would succeed without what the kernel gave up.
        if (ring().durable() < position && journal.fault.load() == 0) {
            std::uint64_t const copied = ring().copied();
            int const result = sync_segments(journal, journal.segment.load(std::memory_order_acquire));
            journal.flushes.fetch_add(1, std::memory_order_relaxed);
            if (result == 0)
                ring().set_durable(copied);
            else
                journal.fault.store(result);
        }
        LWLockRelease(lock);
    }
    return 0;
}

[[gnu::hot]] void wait_durable(std::uint64_t position) {
    Shared* const journal = shared();
    if (journal == nullptr || !journal->recording || ring().durable() >= position) return;
    while (!wait_copied(position, 1000)) {
        if (journal->fault.load() != 0) return refuse_fault(*journal);
        int const stuck = journal->stuck.load();
        if (stuck != 0 && may_go_on()) return;
        if (stuck != 0)
            throw pg::Refusal(stuck == ENOSPC || stuck == EDQUOT ? ERRCODE_DISK_FULL : ERRCODE_IO_ERROR,
                              pg::format("the journal cannot be written: %s", std::strerror(stuck)), nullptr,
                              "Nothing takes effect that is not durably recorded. Free disk space where "
                              "hoopguard.journal_directory is.");
    }
    if (journal->alone) return;
    if (flush(position) != 0) refuse_fault(*journal);
}

}  // namespace hoopguard::record
