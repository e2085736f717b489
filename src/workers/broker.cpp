// The broker: connected to the control database, it compiles the policy tables into the image that all decide
// from.
//
// One compilation serves every change committed before its snapshot. The last good image stays in force until a
// new one is durable on disk; a mark of a change is removed only after that.
#include "workers/broker.hpp"
#include "mask/plan_stamp_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/settings.hpp"
#include "policy/compile.hpp"
#include "policy/image.hpp"
#include "policy/image_writer.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/rows_pg.hpp"
#include "policy/standing_pg.hpp"
#include "workers/broker_errands.hpp"
#include "workers/grants.hpp"
#include "workers/locked_sessions.hpp"
#include "workers/role_reaper.hpp"
#include "workers/steadfast.hpp"

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

extern "C" {
PGDLLEXPORT void hoopguard_broker_main(Datum);
}

namespace {

using namespace hoopguard;

// A standby learns of changes from the commit records it replays, which wake nobody: it looks at its queue of
// invalidations this often. On a primary changes wake the broker; the slow look finds what bypassed that.
constexpr long kStandbyMilliseconds = 50;
constexpr long kPrimaryMilliseconds = 1000;
constexpr std::size_t kSpareImages = 2;
constexpr std::int64_t kRetryMicroseconds = 1'000'000;

bool due = true;           // something that may concern policy has happened
TimestampTz retry_at = 0;  // a compilation failed; 0: none did

// The marks of changes that a snapshot taken after this sees as committed or will never see.
std::vector<std::uint64_t> finished_marks() {
    auto const marks = policy::store().marks();
    if (!marks) return {};
    auto const next = pg::call([] { return U64FromFullTransactionId(ReadNextFullTransactionId()); });
    std::vector<std::uint64_t> finished;
    for (auto const mark : *marks) {
        auto const transaction = XidFromFullTransactionId(FullTransactionIdFromU64(mark));
        // Ids from the future come with a directory that was copied from another time line.
        if (mark >= next || !pg::call([transaction] { return TransactionIdIsInProgress(transaction); }))
            finished.push_back(mark);
    }
    return finished;
}

std::uint64_t now_in_nanoseconds() {
    timespec time = {};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

// The generation after all that are on disk and the one in force.
base::Result<std::uint64_t> next_generation(const policy::Store& store) {
    auto const found = store.generations();
    if (!found) return found.error();
    auto const newest = found->empty() ? 0 : found->back();
    return std::max(newest, policy::generation_in_force()) + 1;
}

// Whether the image in force already holds what `bytes` would bring.
bool is_in_force(const policy::Store& store, base::ByteView bytes) {
    auto const file = policy::MappedFile::open(store.image_path(policy::generation_in_force()));
    return file.ok() && policy::Image::open(file->bytes()).ok() && policy::same_policy(file->bytes(), bytes);
}

// The new generation in force.
base::Result<std::uint64_t> bring_into_force(const policy::Tables& tables) {
    auto const store = policy::store();
    auto const generation = next_generation(store);
    if (!generation) return generation.error();
    auto const bytes = policy::compile(tables, *generation, GetSystemIdentifier(), now_in_nanoseconds());
    if (!bytes) return bytes.error();
    if (is_in_force(store, *bytes)) return policy::generation_in_force();
    if (auto status = store.write_image(*generation, *bytes); !status) return status.error();
    return *generation;
}

std::optional<policy::Tables> read_tables() {
    pg::call([] {
        StartTransactionCommand();
        PushActiveSnapshot(GetTransactionSnapshot());
    });
    auto tables = policy::read_tables();
    pg::call([] {
        PopActiveSnapshot();
        CommitTransactionCommand();
    });
    return tables;
}

void say(const std::string& problem) {
    static std::string said;
    if (problem == said) return;
    said = problem;
    if (problem.empty()) return;
    pg::call([&problem] {
        ereport(LOG, (errmsg("hoopguard could not bring the policy of the control database into force: %s",
                             problem.c_str()),
                      errdetail("The last policy stays in force.")));
    });
}

void finish(std::uint64_t generation, std::uint64_t request, const std::string& problem) {
    policy::publish(generation, request, problem.c_str());
    say(problem);
    retry_at = problem.empty() ? 0 : GetCurrentTimestamp() + kRetryMicroseconds;
}

// Plans kept by sessions rest on the masks of the old policy. On a standby nothing can be sent; there a plan of
// the old policy is refused once and made anew.
void forget_plans() {
    if (pg::call([] { return RecoveryInProgress(); })) return;
    pg::call([] {
        StartTransactionCommand();
        CacheInvalidateRelcacheByRelid(mask::kPolicySentinel);
        CommitTransactionCommand();
    });
}

// Compiles what is committed now; every way out answers the requests made so far.
void compile() {
    auto const request = policy::last_request();
    auto const before = policy::generation_in_force();
    auto const finished = finished_marks();
    auto const tables = read_tables();
    auto const store = policy::store();
    if (!tables) {
        // Never held: nothing to say. Held: an extension that is gone must not take the policy with it.
        finish(before, request, before == 0 ? "" : "the control database holds no policy tables");
        return;
    }
    auto const generation = bring_into_force(*tables);
    if (!generation) return finish(before, request, generation.error().message);
    // Whoever changed the policy goes on once no plan of the old one is left.
    policy::bring_into_force(*generation);
    if (*generation != before) forget_plans();
    finish(*generation, request, "");
    workers::note_grants_in_force(tables->grants);
    for (auto const mark : finished) static_cast<void>(store.unmark(mark));
    store.remove_before(*generation, kSpareImages);
}

// Grants first: those that are over must not come into force again. An error is tried again in a while.
void tend_grants() {
    if (pg::call([] { return RecoveryInProgress(); })) return;
    std::string problem;
    try {
        return workers::end_due_grants();
    } catch (const pg::Error& error) {
        pg::call(
            [&error] { ereport(LOG, (errmsg("hoopguard could not end just-in-time grants: %s", error.what()))); });
    }
    pg::call([] { AbortCurrentTransaction(); });
}

// One round. An error is told and ends its transaction; the broker goes on.
void work() {
    static std::uint64_t seen = 0;
    pg::call([] {
        StartTransactionCommand();
        AcceptInvalidationMessages();
        CommitTransactionCommand();
    });
    if (due) workers::look_at_grants_again();
    tend_grants();
    auto const request = policy::last_request();
    bool const retry = retry_at != 0 && GetCurrentTimestamp() >= retry_at;
    if (!due && !retry && request == seen) return;
    due = false;
    seen = request;
    std::string problem;
    try {
        return compile();
    } catch (const pg::Error& error) {
        problem = error.what();
    }
    pg::call([] { AbortCurrentTransaction(); });
    finish(policy::generation_in_force(), request, problem);
}

// Requests and decisions. An error that is no letter's is told, and what it hindered is tried again.
long serve(long most) {
    static std::string said;
    std::string problem;
    try {
        long const next = workers::do_errands(most);
        said.clear();
        return next;
    } catch (const pg::Error& error) {
        problem = error.what();
    } catch (const pg::Refusal& refusal) {
        problem = refusal.what();
    }
    pg::call([] { AbortCurrentTransaction(); });
    if (problem != said)
        pg::call(
            [&problem] { ereport(LOG, (errmsg("hoopguard could not tend the requests: %s", problem.c_str()))); });
    said = problem;
    return most;
}

}  // namespace

void workers::bring_policy_into_force() {
    work();
}

extern "C" {

static void hoopguard_relation_changed(Datum, Oid) {
    due = true;
}

// A grant's roles may have other names now.
static void hoopguard_role_changed(Datum, int, uint32) {
    if (workers::any_grant_in_force()) due = true;
}

void hoopguard_broker_main(Datum) {
    workers::heed_postmaster_alone(die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    policy::register_broker();
    BackgroundWorkerInitializeConnection(pg::settings.database, nullptr, 0);
    CacheRegisterRelcacheCallback(hoopguard_relation_changed, 0);
    pg::entry(pg::Door::kGate, "broker", workers::prepare_errands);
    CacheRegisterSyscacheCallback(AUTHOID, hoopguard_role_changed, 0);

    for (;;) {
        // Asked to stop while idle: an orderly end that needs no FATAL in the log.
        if (ProcDiePending || policy::is_broker_dismissed()) proc_exit(0);
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
        pg::entry(pg::Door::kGate, "broker", work);
        pg::entry(pg::Door::kGate, "broker", workers::end_locked_sessions);
        pg::entry(pg::Door::kGate, "broker", workers::tend_temporary_roles);
        pg::entry(pg::Door::kObserver, "broker", workers::say_what_was_ignored);
        long const most = RecoveryInProgress() ? kStandbyMilliseconds
                                               : workers::milliseconds_until_next_grant_ends(kPrimaryMilliseconds);
        long const next = pg::entry(pg::Door::kGate, "broker", [most] { return serve(most); });
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, next, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
    }
}

}  // extern "C"
