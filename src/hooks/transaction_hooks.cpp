// Ends of transactions and subtransactions: durability before a commit, outcomes after whatever happened.
#include "approve/resting_pg.hpp"
#include "decide/deadline_pg.hpp"
#include "decide/meter_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pipeline.hpp"
#include "record/outcome_pg.hpp"

extern "C" {

[[gnu::hot]] static void hoopguard_transaction(XactEvent event, void*) {
    if (!hoopguard::identify::is_recorded_process()) return;
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
        case XACT_EVENT_PRE_PREPARE:
            hoopguard::pg::entry(hoopguard::pg::Door::kGate, "commit", [] { hoopguard::secure_commit(); });
            break;
        case XACT_EVENT_COMMIT:
            hoopguard::decide::counted_for_good();
            hoopguard::record::transaction_committed();
            hoopguard::approve::forget_all();
            hoopguard::identify::transaction_ended(true);
            break;
        case XACT_EVENT_ABORT:
            hoopguard::hooks::watch_errors_again();
            hoopguard::decide::counted_in_vain();
            hoopguard::record::transaction_aborted();
            hoopguard::approve::forget_all();
            hoopguard::identify::transaction_ended(false);
            break;
        case XACT_EVENT_PREPARE:
            hoopguard::decide::counted_for_good();
            hoopguard::record::transaction_prepared();
            hoopguard::identify::transaction_ended(false);
            break;
        default: break;
    }
}

static void hoopguard_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void*) {
    if (!hoopguard::identify::is_recorded_process()) return;
    switch (event) {
        case SUBXACT_EVENT_START_SUB: hoopguard::record::subtransaction_began(id); break;
        case SUBXACT_EVENT_COMMIT_SUB:
            hoopguard::decide::subtransaction_counted(id, parent);
            hoopguard::record::subtransaction_ended(id);
            hoopguard::identify::subtransaction_ended(GetCurrentTransactionNestLevel(), true);
            break;
        case SUBXACT_EVENT_ABORT_SUB:
            hoopguard::decide::subtransaction_counted_in_vain(id);
            hoopguard::decide::forget_times(id);
            hoopguard::record::subtransaction_aborted(id);
            hoopguard::identify::subtransaction_ended(GetCurrentTransactionNestLevel(), false);
            break;
        default: break;
    }
}

}  // extern "C"

void hoopguard::hooks::install_transaction() {
    RegisterXactCallback(hoopguard_transaction, nullptr);
    RegisterSubXactCallback(hoopguard_subtransaction, nullptr);
}
