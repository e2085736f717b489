// The launcher: no database of its own, so that it hinders nobody who drops or copies one. It starts the broker
// when the control database exists, again when it ended, and keeps it away while an administrator needs that
// database.
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/dynamic_worker.hpp"
#include "pg/settings.hpp"
#include "policy/standing_pg.hpp"
#include "workers/broker.hpp"
#include "workers/gatherer.hpp"
#include "workers/steadfast.hpp"

#include <algorithm>

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

extern "C" {
PGDLLEXPORT void hoopguard_broker_launcher_main(Datum);
}

namespace {

using namespace hoopguard;

constexpr int kRestartSeconds = 1;
constexpr long kIdleMilliseconds = 1000;
constexpr int kFirstPauseSeconds = 1;
constexpr int kLongestPauseSeconds = 30;
// A broker that lived this long was well: its end says nothing about the next one.
constexpr int kHealthySeconds = 10;

BackgroundWorkerHandle* broker = nullptr;
TimestampTz started_at = 0;
int pause_seconds = 0;
bool said_missing = false;
bool said_full = false;

// A scan of the heap, as autovacuum's launcher does it: after a crash there is no relation cache file, and without
// a database no index of pg_database can be opened.
bool scan_for_database(const char* name) {
    StartTransactionCommand();
    (void)GetTransactionSnapshot();
    Relation const databases = table_open(DatabaseRelationId, AccessShareLock);
    TableScanDesc const scan = table_beginscan_catalog(databases, 0, nullptr);
    bool found = false;
    while (HeapTuple const tuple = heap_getnext(scan, ForwardScanDirection))
        if (strcmp(NameStr(reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datname), name) == 0)
            found = true;
    table_endscan(scan);
    table_close(databases, AccessShareLock);
    CommitTransactionCommand();
    return found;
}

bool database_exists() {
    return pg::call([] { return scan_for_database(pg::settings.database); });
}

bool broker_runs() {
    pid_t pid;
    if (broker == nullptr || GetBackgroundWorkerPid(broker, &pid) == BGWH_STOPPED) return false;
    return true;
}

bool start_broker() {
    BackgroundWorker worker =
        pg::dynamic_worker("hoopguard_broker_main", "hoopguard broker", BgWorkerStart_ConsistentState);
    return pg::call([&worker] { return RegisterDynamicBackgroundWorker(&worker, &broker); });
}

// No database, no policy to compile: what lies on disk is all there is, and nobody need wait for more.
void settle_without_database() {
    if (!said_missing)
        pg::call([] {
            ereport(LOG, (errmsg("hoopguard's control database \"%s\" does not exist", pg::settings.database),
                          errdetail("The last policy, if there was one, stays in force."),
                          errhint("Create the database, or set hoopguard.database and restart the server.")));
        });
    said_missing = true;
    auto const generation = policy::generation_in_force();
    policy::publish(generation, policy::last_request(),
                    generation == 0 ? "" : "the control database does not exist");
}

void note_end_of_broker(TimestampTz now) {
    pfree(broker);  // cannot fail
    broker = nullptr;
    bool const healthy = policy::is_broker_dismissed() || now - started_at > kHealthySeconds * USECS_PER_SEC;
    pause_seconds = healthy ? 0 : std::clamp(pause_seconds * 2, kFirstPauseSeconds, kLongestPauseSeconds);
}

void tend_broker() {
    auto const now = GetCurrentTimestamp();
    if (broker_runs()) return pg::call(workers::tend_gatherer);
    if (broker != nullptr) note_end_of_broker(now);
    if (policy::is_broker_dismissed() || now < started_at + pause_seconds * USECS_PER_SEC) return;
    if (!database_exists()) return settle_without_database();
    said_missing = false;
    started_at = now;
    if (start_broker()) return;
    if (!said_full)
        pg::call([] {
            ereport(LOG, (errmsg("no room for the hoopguard broker among background workers"),
                          errhint("Raise max_worker_processes.")));
        });
    said_full = true;
    pause_seconds = kFirstPauseSeconds;
}

}  // namespace

extern "C" void hoopguard_broker_launcher_main(Datum) {
    workers::heed_postmaster_alone(die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    policy::register_launcher();
    BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);

    for (;;) {
        // Exit code 1: the postmaster starts it again unless it is stopping itself.
        if (ProcDiePending) proc_exit(1);
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
        pg::entry(pg::Door::kGate, "broker launcher", tend_broker);
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kIdleMilliseconds, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
    }
}

void hoopguard::workers::register_broker_launcher() {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_ConsistentState;
    worker.bgw_restart_time = kRestartSeconds;
    strlcpy(worker.bgw_library_name, "hoopguard", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "hoopguard_broker_launcher_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, "hoopguard broker launcher", sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, "hoopguard broker launcher", sizeof worker.bgw_type);
    RegisterBackgroundWorker(&worker);
}
