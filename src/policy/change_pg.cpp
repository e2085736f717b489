// Before commit a mark; after commit, with all locks released, a request to the broker and a bounded wait.
#include "policy/change_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "policy/standing_pg.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "utils/inval.h"
#include "utils/resowner.h"
}

namespace hoopguard::policy {

namespace {

constexpr long kPublishMilliseconds = 5000;

bool changed = false;  // by the current transaction

void mark_before_commit() {
    auto const transaction = pg::call([] { return GetTopFullTransactionIdIfAny(); });
    // A statement that touched no row took no transaction id and changed nothing.
    if (!FullTransactionIdIsValid(transaction)) return;
    if (auto const status = store().mark(U64FromFullTransactionId(transaction)); !status)
        throw pg::Refusal(ERRCODE_IO_ERROR, "could not mark the change of policy",
                          pg::format("%s", status.error().message.c_str()));
}

}  // namespace

extern "C" {

[[gnu::hot]] static void hoopguard_policy_transaction(XactEvent event, void*) {
    if (!changed) return;
    switch (event) {
        case XACT_EVENT_PRE_COMMIT: pg::entry(pg::Door::kGate, "commit of policy", mark_before_commit); return;
        case XACT_EVENT_PRE_PREPARE:
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("cannot PREPARE a transaction that has changed hoopguard's policy")));
            return;
        case XACT_EVENT_ABORT: changed = false; return;
        default: return;
    }
}

// Runs with interrupts held and the transaction over: nothing may be raised above WARNING.
[[gnu::hot]] static void hoopguard_policy_released(ResourceReleasePhase phase, bool is_commit, bool is_top,
                                                   void*) {
    if (!changed || !is_top || phase != RESOURCE_RELEASE_AFTER_LOCKS) return;
    changed = false;
    if (!is_commit) return;
    auto const request = request_compilation();
    // The broker compiles what it has committed itself as soon as it comes to it.
    if (is_broker()) return;
    auto const outcome = wait_for_compilation(request, kPublishMilliseconds);
    if (outcome == Compilation::kPublished) return;
    ereport(WARNING,
            (errmsg("the change of policy is committed but not yet in force"),
             outcome == Compilation::kFailed
                 ? errdetail("The policy could not be compiled, the last one stays in force; see "
                             "hoopguard.status().")
                 : errdetail("The hoopguard broker has not answered; it takes the change up when it runs.")));
}

}  // extern "C"

void install_change_callbacks() {
    RegisterXactCallback(hoopguard_policy_transaction, nullptr);
    RegisterResourceReleaseCallback(hoopguard_policy_released, nullptr);
}

void note_change(Oid relation) {
    changed = true;
    // Travels in the commit record, so that brokers of standbys see that there is something to compile.
    pg::call([relation] { CacheInvalidateRelcacheByRelid(relation); });
}

}  // namespace hoopguard::policy
