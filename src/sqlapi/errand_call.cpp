// Starting the worker, handing it the order, and waiting for what it says.
#include "sqlapi/errand_call.hpp"

#include "base/text.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/dynamic_worker.hpp"
#include "pg/settings.hpp"
#include "record/assemble.hpp"

#include <algorithm>
#include <string_view>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "catalog/pg_proc.h"
#include "commands/dbcommands.h"
#include "libpq/pqformat.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
}

namespace hoopguard::sqlapi {

using identify::ErrandOrder;

namespace {

constexpr std::size_t kQueueSize = 64 * 1024;
// Nobody sees a wait that goes around through two processes: the errand gives up.
constexpr int kLockTimeout = 10'000;

struct Errand {
    dsm_segment* segment;
    shm_mq_handle* queue;
    BackgroundWorkerHandle* worker;
};

}  // namespace

extern "C" {

// However this session goes on, its errand does not outlive it.
static void hoopguard_end_errand(dsm_segment*, Datum worker) {
    auto* const handle = reinterpret_cast<BackgroundWorkerHandle*>(DatumGetPointer(worker));
    TerminateBackgroundWorker(handle);
    pfree(handle);
}

}  // extern "C"

namespace {

// The database's OID. Plain, for pg::call.
Oid open_database(const char* name) {
    Oid const database = get_database_oid(name, true);
    HeapTuple const tuple =
        OidIsValid(database) ? SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database)) : nullptr;
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_DATABASE), errmsg("database \"%s\" does not exist", name)));
    bool const open = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datallowconn;
    ReleaseSysCache(tuple);
    if (!open)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("database \"%s\" does not accept connections", name)));
    return database;
}

void write_order(ErrandOrder& order, const ErrandOrder& facts, const char* statement, const char* bearer) {
    order = facts;
    auto* const texts = reinterpret_cast<char*>(&order + 1);
    memcpy(texts, statement, facts.statement_length);
    if (bearer != nullptr) memcpy(texts + facts.statement_length, bearer, facts.bearer_length);
}

Errand start(const ErrandOrder& facts, const char* statement, const char* bearer, const char* database) {
    ErrandOrder order = facts;
    order.statement_length = static_cast<std::uint32_t>(strlen(statement));
    order.bearer_length = bearer != nullptr ? static_cast<std::uint32_t>(strlen(bearer)) : 0;
    std::size_t const queue_at = MAXALIGN(sizeof(ErrandOrder) + order.statement_length + order.bearer_length);
    order.queue_at = static_cast<std::uint32_t>(queue_at);
    Errand errand = {};
    errand.segment = dsm_create(queue_at + kQueueSize, 0);
    auto* const base = static_cast<char*>(dsm_segment_address(errand.segment));
    write_order(*reinterpret_cast<ErrandOrder*>(base), order, statement, bearer);
    shm_mq* const queue = shm_mq_create(base + queue_at, kQueueSize);
    shm_mq_set_receiver(queue, MyProc);

    BackgroundWorker worker =
        pg::dynamic_worker("hoopguard_errand_main", "hoopguard errand", BgWorkerStart_ConsistentState);
    worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(errand.segment));
    snprintf(worker.bgw_name, sizeof worker.bgw_name, "hoopguard errand in %s", database);
    MemoryContext const outer = MemoryContextSwitchTo(TopMemoryContext);
    bool const started = RegisterDynamicBackgroundWorker(&worker, &errand.worker);
    MemoryContextSwitchTo(outer);
    if (!started)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
                        errmsg("no room among background workers for work in database \"%s\"", database),
                        errhint("Raise max_worker_processes.")));
    on_dsm_detach(errand.segment, hoopguard_end_errand, PointerGetDatum(errand.worker));
    errand.queue = shm_mq_attach(queue, errand.segment, errand.worker);
    return errand;
}

// Raises what the worker raised: as it was when the errand is the caller's own, otherwise with the database named,
// and errors alone.
void raise_again(StringInfo message, const Errand& errand, const char* database, bool own) {
    ErrorData error;
    pq_parse_errornotice(message, &error);
    if (error.elevel < ERROR && !own) return;
    // Whoever catches this and goes on finds the worker's place free.
    if (error.elevel >= ERROR) WaitForBackgroundWorkerShutdown(errand.worker);
    error.elevel = std::min(error.elevel, ERROR);
    // Places in a text that the client does not have.
    error.cursorpos = error.internalpos = 0;
    error.internalquery = nullptr;
    if (!own)
        error.message = psprintf("database \"%s\": %s", database, error.message != nullptr ? error.message : "");
    error.context = nullptr;
    error.assoc_context = CurrentMemoryContext;
    ThrowErrorData(&error);
}

// The answer, once the worker has ended.
const char* await(const Errand& errand, const char* database, bool own) {
    const char* answer = nullptr;
    for (;;) {
        Size size = 0;
        void* data = nullptr;
        auto const result = shm_mq_receive(errand.queue, &size, &data, false);
        if (result != SHM_MQ_SUCCESS) break;
        StringInfoData message;
        initStringInfo(&message);
        appendBinaryStringInfo(&message, static_cast<const char*>(data), static_cast<int>(size));
        int const type = pq_getmsgbyte(&message);
        if (type == 'E' || type == 'N') raise_again(&message, errand, database, own);
        if (type == identify::kErrandAnswer) answer = message.data + 1;
    }
    if (answer == nullptr)
        ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                        errmsg("database \"%s\": the worker ended without an answer", database),
                        errdetail("The server's log says why.")));
    // Its place among the workers is free for the next one.
    WaitForBackgroundWorkerShutdown(errand.worker);
    dsm_detach(errand.segment);
    return answer;
}

void copy(char* to, std::size_t size, std::string_view from) {
    auto const length = std::min(from.size(), size - 1);
    memcpy(to, from.data(), length);
    to[length] = '\0';
}

}  // namespace

ErrandOrder order_of(bool read_only) {
    ErrandOrder order = {};
    auto const& actor = identify::current_actor();
    copy(order.asked_by, sizeof order.asked_by, actor.name);
    copy(order.session, sizeof order.session, base::session_text(identify::session_id()));
    copy(order.request_id, sizeof order.request_id, pg::settings.request_id ? pg::settings.request_id : "");
    copy(order.reason, sizeof order.reason, pg::settings.reason ? pg::settings.reason : "");
    order.encoding = GetDatabaseEncoding();
    order.lock_timeout = LockTimeout > 0 ? LockTimeout : kLockTimeout;
    order.read_only = read_only;
    for (std::size_t i = 0; i < std::size(identify::kErrandSettings); ++i) {
        auto const* const name = identify::kErrandSettings[i];
        copy(order.settings[i], sizeof order.settings[i],
             pg::call([name] { return GetConfigOption(name, false, false); }));
    }
    return order;
}

const char* run_errand(ErrandOrder order, const char* database, const char* statement, const char* bearer) {
    order.database = open_database(database);
    bool const own = OidIsValid(order.asker.authenticated);
    return await(start(order, statement, bearer, database), database, own);
}

Oid owner_of(Oid function) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    Oid const owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return owner;
}

}  // namespace hoopguard::sqlapi
