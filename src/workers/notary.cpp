// The notary's process: opens and closes the journal's record of a run, signs checkpoints while entries arrive.
//
// It never signs what is not durable: the tree that it signs is one the sealer had written before the flush
// began. It stops after every process that might append, so that the stop entry is a run's last.
#include "workers/notary.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "record/checkpoint_file.hpp"
#include "record/journal_pg.hpp"
#include "record/journal_shared_pg.hpp"
#include "record/keys.hpp"
#include "record/segment_writer.hpp"
#include "workers/child_command.hpp"
#include "workers/housekeeping.hpp"
#include "workers/milestones.hpp"
#include "workers/server_facts.hpp"
#include "workers/steadfast.hpp"
#include "workers/telling.hpp"

#include <unistd.h>
#include <algorithm>
#include <optional>

extern "C" {
#include "access/xlog.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/proc.h"
#include "utils/wait_event.h"

PGDLLEXPORT void hoopguard_notary_main(Datum argument);
}

namespace hoopguard::workers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kIdle = kSecond;          // without an entry: a checkpoint may come early
constexpr std::uint64_t kEarliest = 5 * kSecond;  // but not earlier than this after the one before
constexpr std::uint64_t kRetryKey = 30 * kSecond;
constexpr std::uint64_t kRetryCommand = 60 * kSecond;
constexpr long kNap = 100;  // milliseconds, while there is something to sign
constexpr long kSleep = 60'000;
constexpr long kRestlessSleep = 2'000;
constexpr int kPatience = 10'000;    // milliseconds for the sealer to copy an entry
constexpr int kLastCommand = 5'000;  // milliseconds that a stopping server waits for checkpoint_command

std::string absolute(const char* directory) {
    return directory[0] == '/' ? directory : std::string(DataDir) + "/" + directory;
}

class Notary {
 public:
    Notary() : journal_(*record::shared()), checkpoints_(record::system_files()), housekeeping_(journal_) {}

    void run() {
        if (!journal_.opened.exchange(true)) append_open();
        for (;;) {
            std::uint64_t const now = wall_clock();
            prepare();
            load(now);
            std::uint64_t const asked = journal_.requested.load();
            if (key_ && (asked > journal_.served.load() || is_due(now))) {
                if (checkpoint(record::EntryType::kSeal)) serve(asked);
            }
            poll_command(now);
            housekeeping_.step(signed_size(), now);
            if (key_ && !ShutdownRequestPending && housekeeping_.announce_removal(signed_size(), now) &&
                checkpoint(record::EntryType::kSeal))
                housekeeping_.remove();
            if (ShutdownRequestPending && !record::others_at_work()) return stop();
            nap();
        }
    }

 private:
    std::uint64_t signed_size() const noexcept { return journal_.signed_size.load(); }

    bool anything_unsigned() { return record::tail() > signed_position_; }

    bool is_due(std::uint64_t now) {
        std::uint64_t const tail = record::tail();
        if (tail != seen_tail_) {
            seen_tail_ = tail;
            seen_at_ = now;
        }
        if (tail <= signed_position_) return false;
        std::uint64_t const interval =
            static_cast<std::uint64_t>(pg::settings.journal_checkpoint_interval) * kSecond;
        std::uint64_t const since = now - signed_at_;
        return since >= interval || (now - seen_at_ >= kIdle && since >= std::min(interval, kEarliest));
    }

    void nap() {
        bool const busy = anything_unsigned() || command_.running() || ShutdownRequestPending || !key_;
        if (!busy) {
            journal_.notary_asleep.store(1);
            if (anything_unsigned()) return;
        }
        long const most = busy ? kNap : housekeeping_.restless() ? kRestlessSleep : kSleep;
        pg::call([most] {
            (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, most, PG_WAIT_EXTENSION);
            ResetLatch(MyLatch);
            if (ConfigReloadPending) {
                ConfigReloadPending = false;
                ProcessConfigFile(PGC_SIGHUP);
            }
        });
    }

    // The next segment's file, so that the sealer need not wait for it.
    void prepare() {
        int const result = record::prepare_spare(record::system_files(), journal_.origin_directory,
                                                 journal_.segment_size, "notary");
        if (result != 0 && result != spare_error_)
            tell(record::file_error("prepare the journal's next segment in", journal_.origin_directory, result)
                     .message,
                 "The journal goes on in the present segment. Free disk space before that is full.");
        spare_error_ = result;
    }
    void load(std::uint64_t now) {
        if (key_ || now < retry_key_at_) return;
        retry_key_at_ = now + kRetryKey;
        record::KeyPlace place;
        const char* const directory = pg::settings.key_directory;
        place.key_directory = absolute(directory[0] != '\0' ? directory : pg::settings.journal_directory);
        place.origin_directory = journal_.origin_directory;
        place.origin = journal_.identity.origin;
        place.system = journal_.identity.system;
        place.user = geteuid();
        auto key = record::load_key(record::system_files(), place);
        if (!key.ok()) return tell(key.error());
        if (auto opened = checkpoints_.open(journal_.origin_directory); !opened.ok()) return tell(opened.error());
        key_ = std::move(*key);
        if (checkpoints_.last()) remember(*checkpoints_.last(), checkpoints_.last_note());
    }

    record::Drained drained() {
        LWLockAcquire(journal_.drained_lock, LW_SHARED);
        record::Drained const drained = journal_.drained;
        LWLockRelease(journal_.drained_lock);
        return drained;
    }

    // Signs everything in segments at this moment; false when something kept it from that.
    bool checkpoint(record::EntryType milestone) {
        if (!record::wait_copied(record::tail(), kPatience)) return false;
        if (drained().position > signed_position_ || milestone == record::EntryType::kStop)
            append_milestone(milestone, drained());
        record::Drained const covered = drained();
        if (covered.position == signed_position_) return true;
        if (int const failed = record::flush(covered.position); failed != 0) {
            if (!flush_failed_)
                tell(record::file_error("make the journal durable in", journal_.origin_directory, failed));
            flush_failed_ = true;
            return false;
        }
        record::Checkpoint checkpoint;
        checkpoint.origin = key_->verifier.name;
        checkpoint.size = covered.frontier.size();
        checkpoint.root = covered.frontier.root();
        checkpoint.position = covered.position;
        checkpoint.time = wall_clock() / kSecond * kSecond;
        auto const note = record::sign_checkpoint(checkpoint, key_->key);
        base::Status written = note.ok() ? checkpoints_.append(note.value()) : base::Status(note.error());
        // Whether the interval or a failure: the next attempt comes an interval later.
        signed_at_ = wall_clock();
        if (!written.ok()) {
            if (!signing_failed_) tell(written.error());
            signing_failed_ = true;
            return false;
        }
        if (signing_failed_) tell("checkpoints are signed again");
        signing_failed_ = false;
        remember(checkpoint, note.value());
        hand_out(note.value(), milestone);
        return true;
    }

    void remember(const record::Checkpoint& checkpoint, const std::string& note) {
        signed_position_ = checkpoint.position;
        journal_.signed_size.store(checkpoint.size);
        journal_.signed_at.store(checkpoint.time);
        LWLockAcquire(journal_.drained_lock, LW_EXCLUSIVE);
        strlcpy(journal_.note, note.c_str(), sizeof journal_.note);
        LWLockRelease(journal_.drained_lock);
    }

    void serve(std::uint64_t asked) {
        journal_.served.store(asked);
        ConditionVariableBroadcast(&journal_.served_changed);
    }

    // Out of this machine's reach: the server log, WAL, and whatever the command does. Not into WAL after a stop
    // entry, which tells where WAL ends: by that, coverage() sees a start without the library.
    void hand_out(const std::string& note, record::EntryType milestone) {
        std::string line = note;
        std::replace(line.begin(), line.end(), '\n', '|');
        tell("checkpoint " + line);
        unsent_ = note;
        if (milestone == record::EntryType::kStop) return;
        const char* const text = note.data();
        std::size_t const size = note.size();
        pg::call([text, size] {
            // Not transactional, which needs neither a transaction nor a database.
            if (!RecoveryInProgress() && XLogInsertAllowed()) pg::log_message("hoopguard_checkpoint", text, size);
        });
    }

    // Only the newest checkpoint counts: it vouches for all before it.
    void poll_command(std::uint64_t now) {
        if (command_.poll()) {
            if (command_.status() != 0) {
                journal_.command_failures.fetch_add(1);
                if (!command_failed_)
                    tell("checkpoint_command failed with " + command_.how_it_ended(),
                         "Checkpoints stay in the journal's directory; the command is tried again.");
                if (unsent_.empty()) unsent_ = sending_;
                retry_command_at_ = now + kRetryCommand;
            } else if (command_failed_) {
                tell("checkpoint_command works again");
            }
            command_failed_ = command_.status() != 0;
        }
        if (unsent_.empty() || command_.running() || now < retry_command_at_) return;
        const char* const command = pg::settings.checkpoint_command;
        sending_ = std::exchange(unsent_, std::string());
        if (command[0] == '\0') return;
        if (!command_.start(command, sending_)) {
            tell(record::file_error("run", "/bin/sh", errno));
            unsent_ = sending_;
            retry_command_at_ = now + kRetryCommand;
        }
    }

    void stop() {
        if (key_) {
            (void)checkpoint(record::EntryType::kStop);
            retry_command_at_ = 0;
            poll_command(wall_clock());
            for (int waited = 0; command_.running() && waited < kLastCommand; waited += 10) {
                pg_usleep(10'000);
                poll_command(wall_clock());
            }
        } else {
            append_milestone(record::EntryType::kStop, drained());
        }
    }

    record::Shared& journal_;
    record::CheckpointFile checkpoints_;
    Housekeeping housekeeping_;
    std::optional<record::JournalKey> key_;
    std::uint64_t retry_key_at_ = 0;
    std::uint64_t signed_position_ = 0;
    std::uint64_t signed_at_ = 0;
    std::uint64_t seen_tail_ = 0;
    std::uint64_t seen_at_ = 0;
    int spare_error_ = 0;
    bool flush_failed_ = false;
    bool signing_failed_ = false;
    ChildCommand command_;
    bool command_failed_ = false;
    std::uint64_t retry_command_at_ = 0;
    std::string unsent_;
    std::string sending_;
};

void forget_latch(int, Datum) {
    if (record::Shared* const journal = record::shared()) journal->notary.store(nullptr);
}

}  // namespace

void register_notary() {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_PostmasterStart;
    worker.bgw_restart_time = 1;
    strlcpy(worker.bgw_library_name, "hoopguard", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "hoopguard_notary_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, "hoopguard notary", sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, "hoopguard notary", sizeof worker.bgw_type);
    RegisterBackgroundWorker(&worker);
}

}  // namespace hoopguard::workers

void hoopguard_notary_main(Datum) {
    hoopguard::workers::heed_postmaster_alone(SignalHandlerForShutdownRequest);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "notary", [] {
        namespace record = hoopguard::record;
        record::Shared* const journal = record::shared();
        if (journal == nullptr || !journal->recording) return;
        hoopguard::pg::call([] { before_shmem_exit(hoopguard::workers::forget_latch, 0); });
        journal->notary.store(MyLatch);
        hoopguard::workers::Notary().run();
    });
    proc_exit(0);
}
