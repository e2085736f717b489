// The broker's side, and the worker that hands over what temporary roles own in one database.
#include "workers/role_reaper.hpp"

#include "base/json.hpp"
#include "identify/credential_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/dynamic_worker.hpp"
#include "pg/worker_transaction.hpp"
#include "workers/broker_errands.hpp"
#include "workers/telling.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "postmaster/bgworker.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PGDLLEXPORT void hoopguard_role_reaper_main(Datum database);
}

namespace hoopguard::workers {
namespace {

constexpr long kLook = 1000;     // milliseconds
constexpr long kRetry = 10'000;  // after what did not succeed

// From the broker to the worker, in bgw_extra: a role, and who gets what it owns.
struct Handover {
    Oid from;
    Oid to;
};
constexpr std::size_t kMostAtOnce = BGW_EXTRALEN / sizeof(Handover);
struct Task {
    Handover handovers[kMostAtOnce];  // the rest is zero
};
static_assert(sizeof(Task) <= BGW_EXTRALEN);

bool any = true;  // there may be temporary roles
TimestampTz look_at = DT_NOBEGIN;
BackgroundWorkerHandle* worker = nullptr;

// Made at first use: the library runs nothing when it is loaded.
std::string& problem_told() {
    static std::string told;
    return told;
}

// A control database without the extension has no such roles.
bool has_roles_to_reap() {
    return pg::call([] {
        StartTransactionCommand();
        bool const found = pg::has_own_function("broker_reap_roles");
        CommitTransactionCommand();
        return found;
    });
}

bool worker_runs() {
    pid_t pid;
    if (worker == nullptr) return false;
    if (GetBackgroundWorkerPid(worker, &pid) != BGWH_STOPPED) return true;
    pfree(worker);  // cannot fail
    worker = nullptr;
    return false;
}

Oid number(const base::Json& value) noexcept {
    return value.number() != nullptr ? static_cast<Oid>(*value.number()) : InvalidOid;
}

Task read_task(const base::Json& work) {
    Task task = {};
    auto const* const roles = work.member("roles");
    if (roles == nullptr || roles->array() == nullptr) return task;
    std::size_t count = 0;
    for (auto const& pair : *roles->array()) {
        if (count == kMostAtOnce || pair.array() == nullptr || pair.array()->size() != 2) break;
        task.handovers[count++] = {number((*pair.array())[0]), number((*pair.array())[1])};
    }
    return task;
}

// The worker tells its end to the broker, which then looks again.
void start_worker(const base::Json& work) {
    auto const* const database = work.member("database");
    if (database == nullptr) return;
    Task const task = read_task(work);
    BackgroundWorker one =
        pg::dynamic_worker("hoopguard_role_reaper_main", "hoopguard role reaper", BgWorkerStart_RecoveryFinished);
    one.bgw_main_arg = ObjectIdGetDatum(number(*database));
    std::memcpy(one.bgw_extra, &task, sizeof task);
    pg::call([&one] {
        MemoryContext const before = MemoryContextSwitchTo(TopMemoryContext);
        if (!RegisterDynamicBackgroundWorker(&one, &worker)) worker = nullptr;
        MemoryContextSwitchTo(before);
    });
}

void forget_credentials(const base::Json& answer) {
    auto const* const gone = answer.member("forgotten");
    if (gone == nullptr || gone->array() == nullptr) return;
    for (auto const& role : *gone->array())
        if (role.text() != nullptr) ::unlink(identify::credential_path(*role.text()).c_str());
}

void look_in(long milliseconds) noexcept {
    look_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds);
}

void look() {
    static std::string last_work;
    auto const answer = base::Json::parse(reap_roles());
    if (!answer) return;
    forget_credentials(*answer);
    auto const* const left = answer->member("left");
    any = left != nullptr && left->number() != nullptr && *left->number() > 0;
    auto const* const work = answer->member("work");
    if (work == nullptr || work->object() == nullptr) return last_work.clear();
    // The same again: the worker did not succeed, and another one at once would not either.
    auto const* const text = work->member("what");
    std::string const what = text != nullptr && text->text() != nullptr ? *text->text() : "";
    bool const failed = what == last_work;
    last_work = failed ? "" : what;
    if (failed) return look_in(kRetry);
    start_worker(*work);
}

// In the worker's database.
void hand_over(const Task& task) {
    pg::begin_worker_transaction();
    for (auto const& one : task.handovers) {
        if (!OidIsValid(one.from)) break;
        char* const from = GetUserNameFromId(one.from, true);
        char* const to = GetUserNameFromId(one.to, true);
        if (from == nullptr || to == nullptr) continue;
        SPI_execute(psprintf("REASSIGN OWNED BY %s TO %s", quote_identifier(from), quote_identifier(to)), false,
                    0);
        // Privileges that it was given, or gives by default.
        SPI_execute(psprintf("DROP OWNED BY %s", quote_identifier(from)), false, 0);
    }
    pg::commit_worker_transaction();
}

}  // namespace

void expect_temporary_roles() noexcept {
    any = true;
}

void tend_temporary_roles() {
    if (!any || GetCurrentTimestamp() < look_at || pg::call([] { return RecoveryInProgress(); })) return;
    if (worker_runs()) return;
    look_in(kLook);
    std::string problem;
    try {
        if (has_roles_to_reap())
            look();
        else
            any = false;
    } catch (const pg::Error& error) {
        problem = error.what();
    } catch (const pg::Refusal& refusal) {
        problem = refusal.what();
    }
    if (!problem.empty()) {
        pg::call([] { AbortCurrentTransaction(); });
        look_in(kRetry);
        if (problem != problem_told()) tell("temporary roles could not be removed: " + problem, nullptr);
    }
    problem_told() = problem;
}

}  // namespace hoopguard::workers

void hoopguard_role_reaper_main(Datum database) {
    using namespace hoopguard;
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
    pg::entry(pg::Door::kGate, "role reaper", [] {
        pg::call([] {
            constexpr const char* kSettings[][2] = {{"default_transaction_read_only", "off"},
                                                    {"session_replication_role", "origin"},
                                                    {"statement_timeout", "0"},
                                                    {"lock_timeout", "5s"},
                                                    {"search_path", "pg_catalog, pg_temp"}};
            for (auto const& [name, value] : kSettings) SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
            workers::Task task;
            std::memcpy(&task, MyBgworkerEntry->bgw_extra, sizeof task);
            workers::hand_over(task);
        });
    });
    proc_exit(0);
}
