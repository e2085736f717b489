// Locks that are held, and the plan in words.
#include "approve/hindrance_pg.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "mb/pg_wchar.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/dest.h"
#include "utils/snapmgr.h"
}

namespace hoopguard::approve {

namespace {

constexpr int kLongestPlan = 64 * 1024;

// Its own virtual transaction every process holds exclusively.
bool concerns_others(const LOCKTAG& tag) noexcept {
    return tag.locktag_type != LOCKTAG_VIRTUALTRANSACTION;
}

bool holds_strong_lock() {
    LockData const* const locks = GetLockStatusData();
    for (int i = 0; i < locks->nelements; ++i) {
        const LockInstanceData& one = locks->locks[i];
        if (one.pid == MyProcPid && concerns_others(one.locktag) && (one.holdMask >> (RowExclusiveLock + 1)) != 0)
            return true;
    }
    return false;
}

}  // namespace

bool hinders_others() {
    if (InterruptHoldoffCount > 0 || CritSectionCount > 0) return true;
    return pg::call([] { return TransactionIdIsValid(GetTopTransactionIdIfAny()) || holds_strong_lock(); });
}

std::string plan_text(const QueryDesc* query) {
    return pg::call([query]() -> const char* {
        ExplainState* const explain = NewExplainState();
        ExplainBeginOutput(explain);
        QueryDesc* const shown =
            CreateQueryDesc(query->plannedstmt, query->sourceText, GetActiveSnapshot(), InvalidSnapshot,
                            None_Receiver, query->params, query->queryEnv, 0);
        ExecutorStart(shown, EXEC_FLAG_EXPLAIN_ONLY);
        ExplainPrintPlan(explain, shown);
        ExecutorEnd(shown);
        FreeQueryDesc(shown);
        ExplainEndOutput(explain);
        if (explain->str->len > kLongestPlan) {
            explain->str->len = pg_mbcliplen(explain->str->data, explain->str->len, kLongestPlan);
            explain->str->data[explain->str->len] = '\0';
        }
        return explain->str->data;
    });
}

}  // namespace hoopguard::approve
