// Statement → Actor → Footprint → Decision → Entry → refuse, or run. The only file that knows every stage.
#include "pipeline.hpp"

#include "approve/resting_pg.hpp"
#include "classify/classify_pg.hpp"
#include "decide/decide_pg.hpp"
#include "identify/lock_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/literals_pg.hpp"
#include "mask/verify_pg.hpp"
#include "pg/halt.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "pipeline_login.hpp"
#include "pipeline_running.hpp"
#include "record/failure_pg.hpp"
#include "record/journal_pg.hpp"
#include "record/session_entry_pg.hpp"
#include "record/session_writer_pg.hpp"
#include "record/statements_pg.hpp"

namespace hoopguard {

namespace {

using policy::ClassSet;
using policy::StatementClass;

// What no rollback undoes: it must be on record durably before it happens.
constexpr ClassSet kBeyondRollback = ClassSet(StatementClass::kEgress) | StatementClass::kCode |
                                     StatementClass::kConfig | StatementClass::kDatabase |
                                     StatementClass::kReplication;

[[noreturn]] void refuse(const decide::Decision& decision) {
    if (decision.locked)
        throw pg::Refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, pg::format("%s", decision.message.c_str()),
                          nullptr, identify::kLockedHint);
    throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE, pg::format("%s", decision.message.c_str()),
                      pg::format("The statement is %s.", decision.reason.c_str()),
                      pg::format("%s", decision.hint.c_str()), pg::format("%s", decision.guardrail.c_str()));
}

// A locked actor says nothing, whatever it is; no observing and no grant changes that.
const decide::Decision& locked_out(const identify::Actor& actor) {
    static decide::Decision decision;
    decision = {};
    decision.verdict = decide::Verdict::kBlock;
    decision.enforced = true;
    decision.locked = true;
    decision.message = "actor \"" + std::string(actor.name) + "\" is locked";
    return decision;
}

void warn(const decide::Decision& decision) {
    pg::call([&] {
        ereport(WARNING, (errmsg_internal("%s", decision.warning.c_str()),
                          err_generic_string(PG_DIAG_CONSTRAINT_NAME, decision.warning_from.c_str())));
    });
}

// COMMIT PREPARED commits what another transaction did, by itself, without a commit of its own to wait at.
bool commits_at_once(const classify::Statement& statement) {
    if (!statement.is_utility() || !IsA(statement.plan->utilityStmt, TransactionStmt)) return false;
    return reinterpret_cast<const TransactionStmt*>(statement.plan->utilityStmt)->kind ==
           TRANS_STMT_COMMIT_PREPARED;
}

bool must_be_durable(const classify::Statement& statement, const classify::Footprint& footprint) {
    switch (pg::settings.sync()) {
        case pg::JournalSync::kOff: return false;
        case pg::JournalSync::kCommit: return commits_at_once(statement);
        case pg::JournalSync::kRisky:
            return footprint.classes.meets(kBeyondRollback) || commits_at_once(statement);
        case pg::JournalSync::kAll: break;
    }
    return true;
}

}  // namespace

void pronounce(const decide::Decision& decision) {
    if (decision.refuses()) refuse(decision);
    if (decision.warns()) warn(decision);
}

void admit(const classify::Statement& statement) {
    if (!statement.nested) pg::forget_halt();
    auto const& actor = identify::current_actor();
    auto const& footprint = classify::classify(statement);
    auto const& decision = identify::is_locked(actor) ? locked_out(actor) : decide::decide(actor, footprint);
    auto const inspection = mask::inspect(statement, actor);
    auto const sensitive = mask::sensitive_parts(statement);
    // Record first: a denial that is not on record did not happen.
    auto const begun = record::begin_statement(statement, actor, identify::known_session(), footprint, decision,
                                               inspection.masked, sensitive);
    if (must_be_durable(statement, footprint)) record::wait_durable(begun.end);
    pronounce(decision);
    approve::rest_on(statement, decision.grants);
    mask::verify(inspection);
    running::admitted(statement, begun.number, actor, footprint, decision);
}

void admit_login(const Port* port) {
    identify::learn_connection(port);
    identify::learn_login_role(port);
    identify::refuse_locked_login(identify::known_actor(), identify::known_session().login_role);
    decide_login(port);
    record::record_login(identify::known_actor(), identify::known_session());
}

void secure_commit() {
    if (pg::settings.sync() != pg::JournalSync::kOff && TransactionIdIsValid(GetTopTransactionIdIfAny()))
        record::wait_durable(record::last_put());
}

void observe_error(const ErrorData& error) noexcept {
    // PostgresMain makes this context when the session is ready for its first command.
    bool const logging_in = MyProcPort != nullptr && MessageContext == nullptr;
    if (!logging_in) {
        record::note_error(error, identify::known_actor(), identify::known_session(),
                           mask::sensitive_parts_of_failure());
        return;
    }
    identify::learn_connection(MyProcPort);
    record::record_login_failure(identify::known_actor(), identify::known_session(), error.sqlerrcode,
                                 error.message != nullptr ? error.message : "");
}

}  // namespace hoopguard
