// Ending grants: SQL functions of the control database do it, in one transaction each with the membership; here
// stands when, and who is told.
#include "workers/grants.hpp"

#include "approve/ended_pg.hpp"
#include "base/json.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

#include <algorithm>
#include <string>

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "parser/parse_func.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace hoopguard::workers {

namespace {

constexpr std::int64_t kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
// Nothing tells of the end of a session: while grants hang on one, it is looked for this often.
constexpr std::int64_t kLookForSessions = 200'000;
constexpr std::int64_t kRetry = 1'000'000;

TimestampTz due_at = DT_NOBEGIN;  // when to look at the table again; at once after a start

std::vector<std::uint64_t>& in_force() {
    static std::vector<std::uint64_t> grants;  // in rising order
    return grants;
}

// What `call` answers; null when this database does not have the function.
const char* ask_database(const char* function, const char* call) {
    Oid const found = LookupFuncName(list_make2(makeString(pstrdup("hoopguard")), makeString(pstrdup(function))),
                                     0, nullptr, true);
    if (!OidIsValid(found)) return nullptr;
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    if (SPI_execute(call, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "%s gave no row", function);
    char* const value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    char* const answer = value == nullptr ? nullptr : MemoryContextStrdup(TopTransactionContext, value);
    SPI_finish();
    return answer;
}

void plan_next_look(const base::Json& answer) {
    due_at = DT_NOEND;
    if (auto const* const next = answer.member("next"); next != nullptr && next->number() != nullptr)
        due_at = static_cast<TimestampTz>(*next->number()) - kEpochs;
    auto const* const sessions = answer.member("sessions");
    if (sessions != nullptr && sessions->boolean() != nullptr && *sessions->boolean())
        due_at = std::min(due_at, GetCurrentTimestamp() + kLookForSessions);
}

}  // namespace

void end_due_grants() {
    if (GetCurrentTimestamp() < due_at) return;
    // Until this has succeeded: whatever goes wrong is tried again, but not without rest.
    due_at = GetCurrentTimestamp() + kRetry;
    auto const* const text = pg::call([] {
        StartTransactionCommand();
        XactReadOnly = false;
        PushActiveSnapshot(GetTransactionSnapshot());
        return ask_database("end_due_grants", "SELECT hoopguard.end_due_grants()");
    });
    auto const answer = text == nullptr ? base::Json() : base::Json::parse(text).value();
    pg::call([] {
        PopActiveSnapshot();
        CommitTransactionCommand();
    });
    plan_next_look(answer);
}

long milliseconds_until_next_grant_ends(long longest) {
    auto const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due_at);
    return std::clamp(left, 0L, longest);
}

void note_grants_in_force(const std::vector<policy::Grant>& grants) {
    std::vector<std::uint64_t> now;
    for (auto const& grant : grants) now.push_back(static_cast<std::uint64_t>(grant.id));
    std::ranges::sort(now);
    std::vector<std::uint64_t> gone;
    std::ranges::set_difference(in_force(), now, std::back_inserter(gone));
    approve::note_ended(gone);
    // A new one may end before the next that was known.
    if (now != in_force()) due_at = DT_NOBEGIN;
    in_force() = std::move(now);
}

}  // namespace hoopguard::workers
