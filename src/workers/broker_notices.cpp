// From the outbox to NOTIFY. What is lost with a crash of the server is the sending alone: nobody was listening
// any more, and the outbox still holds it.
#include "workers/broker_notices.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/worker_transaction.hpp"

extern "C" {
#include "commands/async.h"
#include "utils/timestamp.h"
}

namespace hoopguard::workers {

namespace {

constexpr const char* kTakeOut =
    "WITH taken AS (DELETE FROM hoopguard.outbox WHERE id IN "
    "(SELECT id FROM hoopguard.outbox ORDER BY id LIMIT 100) RETURNING id, channel, payload) "
    "SELECT channel, payload FROM taken ORDER BY id";
constexpr std::int64_t kRetryMicroseconds = 1'000'000;

SPIPlanPtr plan = nullptr;
TimestampTz not_before = 0;

// How many were sent. Within a transaction that may be given up without waiting for the disk: sent twice is no
// harm.
std::uint64_t send_some() {
    pg::begin_worker_transaction();
    // As a session's own: from a source that makes defaults it would stay after the transaction, and requests
    // would be lost that somebody was told the number of.
    (void)set_config_option("synchronous_commit", "off", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                            false);
    if (plan == nullptr) {
        SPIPlanPtr const made = SPI_prepare(kTakeOut, 0, nullptr);
        if (made == nullptr) elog(ERROR, "could not prepare the reading of the outbox");
        SPI_keepplan(made);
        plan = made;
    }
    SPI_execute_plan(plan, nullptr, nullptr, false, 0);
    std::uint64_t const count = SPI_processed;
    for (std::uint64_t i = 0; i < count; ++i) {
        char* const channel = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
        char* const payload = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
        Async_Notify(channel, payload != nullptr ? payload : "");
    }
    pg::commit_worker_transaction();
    return count;
}

}  // namespace

void send_notices() {
    if (GetCurrentTimestamp() < not_before) return;
    try {
        while (pg::call(send_some) > 0) {
        }
        not_before = 0;
    } catch (const pg::Error&) {
        not_before = GetCurrentTimestamp() + kRetryMicroseconds;
        throw;
    }
}

}  // namespace hoopguard::workers
