// The sealer's process: drains, tells those who wait, naps. It makes nothing durable, so no disk's fdatasync
// stops it; while entries arrive it looks by itself every few milliseconds, so that appending makes no system
// call, and only after a quiet second asks to be woken.
#include "workers/sealer.hpp"

#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "record/clock.hpp"
#include "record/drain.hpp"
#include "record/journal_pg.hpp"
#include "record/journal_shared_pg.hpp"
#include "record/slots_pg.hpp"
#include "workers/steadfast.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/proc.h"
#include "utils/wait_event.h"

PGDLLEXPORT void hoopguard_sealer_main(Datum argument);
}

namespace hoopguard::workers {
namespace {

constexpr long kBusyNap = 10;  // milliseconds
constexpr long kStuckNap = 100;
constexpr long kSleep = 60'000;
constexpr int kQuietNaps = 100;  // this many in a row without an entry, and the sealer asks to be woken
constexpr std::uint64_t kBacklog = 64u << 10;  // worth going on without a nap

std::uint64_t now() noexcept {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

void nap(long milliseconds) {
    pg::call([milliseconds] {
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
    });
}

class Sealer {
 public:
    Sealer()
        : journal_(*record::shared()),
          writer_(record::system_files(), journal_.identity, journal_.origin_directory, journal_.segment_size),
          drain_(record::ring(), writer_, journal_.segment) {}

    void run() {
        if (base::Status resumed = writer_.resume(record::ring().copied()); !resumed.ok()) {
            // The next one tries again; whoever waits meanwhile is told.
            journal_.stuck.store(resumed.error().number != 0 ? resumed.error().number : EIO);
            throw pg::Refusal(ERRCODE_DATA_CORRUPTED, pg::format("%s", resumed.error().message.c_str()));
        }
        record::ring().set_copied(writer_.position());
        publish();
        for (int quiet = 0;;) {
            record::record_open_since(record::Clock::steady() - record::kLongestInSlot);
            record::DrainStep const step = drain();
            if (step.entries > 0) quiet = 0;
            if (step.error != 0 || step.damaged) {
                nap(kStuckNap);
                continue;
            }
            std::uint64_t const behind = record::tail() - writer_.position();
            if (ShutdownRequestPending && behind == 0 && may_stop()) {
                writer_.write_derived(true);
                return;
            }
            if (step.entries > 0 && behind > kBacklog) continue;
            ++quiet;
            if (quiet == kQuietNaps) writer_.write_derived(false);
            if (quiet < kQuietNaps || behind > 0 || ShutdownRequestPending)
                nap(kBusyNap);
            else
                sleep();
        }
    }

 private:
    record::DrainStep drain() {
        record::DrainStep const step = drain_.step(record::tail(), now());
        if (step.entries > 0) publish();
        if (step.error != journal_.stuck.load()) tell_stuck(step.error);
        if (step.damaged && journal_.fault.exchange(EIO) == 0)
            ereport(LOG, (errmsg("hoopguard: the journal's ring is damaged at position %llu",
                                 static_cast<unsigned long long>(writer_.position())),
                          errhint("Restart the server: recovery puts a gap there and goes on.")));
        return step;
    }

    // The notary stops after all who might append, and the sealer after the notary.
    bool may_stop() const { return journal_.notary.load() == nullptr && !record::others_at_work(); }

    void tell_stuck(int error) {
        journal_.stuck.store(error);
        if (error == 0)
            ereport(LOG, (errmsg("hoopguard: the journal is written again")));
        else
            ereport(LOG, (errmsg("hoopguard: cannot write the journal in \"%s\": %s", journal_.origin_directory,
                                 std::strerror(error)),
                          errhint("Statements are refused as soon as the ring is full. Free disk space, or mend "
                                  "the disk: the journal goes on by itself.")));
    }

    void publish() {
        record::Frontier const frontier = writer_.frontier();
        LWLockAcquire(journal_.drained_lock, LW_EXCLUSIVE);
        journal_.drained.position = writer_.position();
        journal_.drained.frontier = frontier;
        LWLockRelease(journal_.drained_lock);
        if (journal_.notary_asleep.exchange(0) != 0) record::wake_notary();
        if (journal_.copy_waiters.load() != 0) ConditionVariableBroadcast(&journal_.copied_changed);
    }

    void sleep() {
        journal_.asleep.store(1, std::memory_order_seq_cst);
        // An append that did not see the flag had moved the tail before, and a slot had been opened.
        bool const idle =
            journal_.tail.load(std::memory_order_seq_cst) == writer_.position() && !record::any_slot_open();
        if (!ShutdownRequestPending) nap(idle ? kSleep : kBusyNap);
        journal_.asleep.store(0, std::memory_order_seq_cst);
    }

    record::Shared& journal_;
    record::SegmentWriter writer_;
    record::Drain drain_;
};

void forget_latch(int, Datum) {
    if (record::Shared* const journal = record::shared()) journal->sealer.store(nullptr);
}

}  // namespace

void register_sealer() {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_PostmasterStart;
    worker.bgw_restart_time = 1;
    strlcpy(worker.bgw_library_name, "hoopguard", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "hoopguard_sealer_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, "hoopguard sealer", sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, "hoopguard sealer", sizeof worker.bgw_type);
    RegisterBackgroundWorker(&worker);
}

}  // namespace hoopguard::workers

void hoopguard_sealer_main(Datum) {
    hoopguard::workers::heed_postmaster_alone(SignalHandlerForShutdownRequest);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "sealer", [] {
        namespace record = hoopguard::record;
        record::Shared* const journal = record::shared();
        if (journal == nullptr || !journal->recording) return;
        hoopguard::pg::call([] { before_shmem_exit(hoopguard::workers::forget_latch, 0); });
        journal->sealer.store(MyLatch);
        hoopguard::workers::Sealer().run();
    });
    proc_exit(0);
}
