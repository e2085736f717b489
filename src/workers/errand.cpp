// Does one errand: runs a statement in a database that its order names, sends the rows, and ends.
//
// Errors travel through the queue as a client would be told them, and are raised again by whoever asked.
#include "identify/errand_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "libpq/libpq.h"
#include "libpq/pqmq.h"
#include "mb/pg_wchar.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

PGDLLEXPORT void hoopguard_errand_main(Datum);
}

namespace {

using namespace hoopguard;
using identify::ErrandOrder;

void set(const char* name, const char* value) {
    SetConfigOption(name, value, PGC_USERSET, PGC_S_SESSION);
}

// From here on the worker may do what whoever asks may do, as if he had connected to this database. It runs
// nothing but the order's statement, which cannot give it back the rights that it began with.
void take_roles(const identify::SessionRoles& asker) {
    if (!OidIsValid(asker.authenticated)) return;
    SetSessionAuthorization(asker.session, superuser_arg(asker.session));
    if (asker.outer != asker.session) SetCurrentRoleId(asker.outer, superuser_arg(asker.outer));
    // Within a function that has its owner's rights.
    if (asker.current != asker.outer) SetUserIdAndSecContext(asker.current, SECURITY_LOCAL_USERID_CHANGE);
}

// As the session that asks would have it; nothing of the path that this database or role prefers.
void prepare(const ErrandOrder& order) {
    if (PrepareClientEncoding(order.encoding) < 0 || SetClientEncoding(order.encoding) < 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("conversion between %s and %s is not supported",
                               pg_encoding_to_char(GetDatabaseEncoding()), pg_encoding_to_char(order.encoding))));
    set("search_path", "pg_catalog, pg_temp");
    set("statement_timeout", "0");
    set("lock_timeout", psprintf("%d", order.lock_timeout));
    set("application_name", psprintf("hoopguard for session %s", order.session));
    set("hoopguard.request_id", order.request_id);
    set("hoopguard.reason", order.reason);
    for (std::size_t i = 0; i < std::size(identify::kErrandSettings); ++i)
        set(identify::kErrandSettings[i], order.settings[i]);
}

// The text as one statement, which a query's must be to stand within another. Where whoever asks is the function's
// caller, the function has made it so that it gives the answer.
const char* checked(char* text, const ErrandOrder& order) {
    List* const statements = pg_parse_query(text);
    if (list_length(statements) != 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("expected one statement, not %d", list_length(statements))));
    if (!order.read_only || OidIsValid(order.asker.authenticated)) return text;
    auto const* const node = linitial_node(RawStmt, statements)->stmt;
    bool const query = IsA(node, SelectStmt) && reinterpret_cast<const SelectStmt*>(node)->intoClause == nullptr;
    if (!query)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("expected a query"),
                        errhint("Anything else needs read_only => false.")));
    // On lines of its own, so that a comment ends.
    return psprintf("SELECT coalesce(jsonb_agg(to_jsonb(answer)), '[]') FROM (\n%s\n) AS answer", text);
}

// The rows as JSON, in the order's encoding; lives until the process ends.
const char* execute(const char* text, const ErrandOrder& order) {
    SPI_connect();
    int const code = SPI_execute(text, order.read_only, 0);
    if (code < 0) elog(ERROR, "could not run the statement: %s", SPI_result_code_string(code));
    const char* json = "[]";
    bool const answers = order.read_only || OidIsValid(order.asker.authenticated);
    if (answers && SPI_processed == 1) json = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    auto const* const answer =
        MemoryContextStrdup(TopMemoryContext, pg_server_to_client(json, static_cast<int>(strlen(json))));
    SPI_finish();
    return answer;
}

void run(const ErrandOrder& order) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    prepare(order);
    take_roles(order.asker);
    XactReadOnly = order.read_only;
    if (order.statement_timeout > 0) enable_timeout_after(STATEMENT_TIMEOUT, order.statement_timeout);
    auto const* const given = reinterpret_cast<const char*>(&order + 1);
    char* const text = MemoryContextStrdup(
        TopMemoryContext, pg_any_to_server(pnstrdup(given, order.statement_length),
                                           static_cast<int>(order.statement_length), order.encoding));
    debug_query_string = text;
    pgstat_report_activity(STATE_RUNNING, text);
    PushActiveSnapshot(GetTransactionSnapshot());
    auto const* const answer = execute(checked(text, order), order);
    PopActiveSnapshot();
    CommitTransactionCommand();
    disable_timeout(STATEMENT_TIMEOUT, false);
    debug_query_string = nullptr;
    pgstat_report_activity(STATE_IDLE, nullptr);
    pq_putmessage(identify::kErrandAnswer, answer, strlen(answer) + 1);
}

}  // namespace

extern "C" void hoopguard_errand_main(Datum handle) {
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    dsm_segment* const segment = dsm_attach(DatumGetUInt32(handle));
    // Whoever asked is gone.
    if (segment == nullptr) proc_exit(0);
    auto const& order = *static_cast<const ErrandOrder*>(dsm_segment_address(segment));
    auto* const queue =
        reinterpret_cast<shm_mq*>(static_cast<char*>(dsm_segment_address(segment)) + order.queue_at);
    shm_mq_set_sender(queue, MyProc);
    pq_redirect_to_shm_mq(segment, shm_mq_attach(queue, segment, nullptr));
    pg::entry(pg::Door::kGate, "errand", [&order] { identify::begin_errand(order); });
    BackgroundWorkerInitializeConnectionByOid(order.database, order.owner, 0);
    run(order);
    proc_exit(0);
}
