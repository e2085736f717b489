// A cancel request with a reason.
#include "pg/halt.hpp"

#include <csignal>

extern "C" {
#include "storage/latch.h"
}

namespace hoopguard::pg {

namespace {

Halt reason;
volatile std::sig_atomic_t asked = 0;

}  // namespace

void halt_statement(const Halt& why) noexcept {
    if (asked == 0) {
        reason = why;
        asked = 1;
    }
    QueryCancelPending = true;
    InterruptPending = true;
    SetLatch(MyLatch);
}

void forget_halt() noexcept {
    asked = 0;
}

void describe_halt() noexcept {
    if (asked == 0 || geterrcode() != ERRCODE_QUERY_CANCELED) return;
    asked = 0;
    errcode(reason.sqlstate);
    errmsg_internal("%s", reason.message);
    if (reason.detail != nullptr) errdetail_internal("%s", reason.detail);
    if (reason.hint != nullptr) errhint("%s", reason.hint);
    if (reason.constraint != nullptr) err_generic_string(PG_DIAG_CONSTRAINT_NAME, reason.constraint);
}

}  // namespace hoopguard::pg
