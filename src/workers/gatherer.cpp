// The gatherer. It comes, works in small transactions and goes, so that it is in nobody's way who drops or copies
// the control database; what hinders it is told in the log and tried again by the next one.
#include "workers/gatherer.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/dynamic_worker.hpp"
#include "pg/settings.hpp"
#include "pg/worker_transaction.hpp"
#include "policy/standing_pg.hpp"

extern "C" {
#include "access/xlog.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

PGDLLEXPORT void hoopguard_gatherer_main(Datum);
}

namespace hoopguard::workers {

namespace {

constexpr std::int64_t kPause = 60;      // seconds
constexpr std::int64_t kBatch = 50'000;  // entries in one transaction

BackgroundWorkerHandle* gatherer = nullptr;
TimestampTz started_at = 0;

bool is_running() {
    pid_t pid;
    return gatherer != nullptr && GetBackgroundWorkerPid(gatherer, &pid) != BGWH_STOPPED;
}

void start() {
    if (gatherer != nullptr) pfree(gatherer);
    gatherer = nullptr;
    BackgroundWorker worker =
        pg::dynamic_worker("hoopguard_gatherer_main", "hoopguard gatherer", BgWorkerStart_RecoveryFinished);
    // Full: the next round finds room, or the broker has said that there is none.
    if (!RegisterDynamicBackgroundWorker(&worker, &gatherer)) gatherer = nullptr;
}

// The number that a query gives; 0 where it gives none.
std::int64_t number_of(const char* query) {
    if (SPI_execute(query, false, 1) != SPI_OK_SELECT) elog(ERROR, "could not run %s", query);
    if (SPI_processed == 0) return 0;
    bool null = false;
    Datum const value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    return null ? 0 : DatumGetInt64(value);
}

// False: there is nothing more to read.
bool gather_batch() {
    pg::begin_worker_transaction();
    bool more = false;
    if (pg::has_own_function("gather_usage"))
        more =
            number_of(psprintf("SELECT hoopguard.gather_usage(%lld)", static_cast<long long>(kBatch))) >= kBatch;
    pg::commit_worker_transaction();
    return more;
}

void step_reviews() {
    pg::begin_worker_transaction();
    if (pg::has_own_function("review_step")) (void)SPI_execute("SELECT hoopguard.review_step()", false, 0);
    pg::commit_worker_transaction();
}

// What fails is told, and hinders nothing else.
template <typename Work>
bool attempt(const char* what, Work&& work) {
    try {
        return pg::call(work);
    } catch (const pg::Error& error) {
        pg::call([&error, what] {
            AbortCurrentTransaction();
            ereport(LOG, (errmsg("hoopguard could not %s: %s", what, error.what())));
        });
    }
    return false;
}

void work() {
    while (!policy::is_broker_dismissed() && attempt("gather usage", gather_batch))
        pg::call([] { CHECK_FOR_INTERRUPTS(); });
    if (policy::is_broker_dismissed()) return;
    attempt("do what access reviews have due", [] {
        step_reviews();
        return true;
    });
}

}  // namespace

void tend_gatherer() {
    auto const now = GetCurrentTimestamp();
    if (now < started_at + kPause * USECS_PER_SEC || is_running() || policy::is_broker_dismissed()) return;
    if (RecoveryInProgress()) return;
    started_at = now;
    start();
}

}  // namespace hoopguard::workers

extern "C" void hoopguard_gatherer_main(Datum) {
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnection(hoopguard::pg::settings.database, nullptr, 0);
    hoopguard::pg::entry(hoopguard::pg::Door::kObserver, "gatherer", hoopguard::workers::work);
    proc_exit(0);
}
