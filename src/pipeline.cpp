// Statement → Actor → Footprint → Decision → Entry → refuse, or run. The only file that knows every stage.
#include "pipeline.hpp"

#include "approve/admission_pg.hpp"
#include "approve/ask_pg.hpp"
#include "approve/channels_pg.hpp"
#include "approve/elevation_pg.hpp"
#include "approve/resting_pg.hpp"
#include "classify/classify_pg.hpp"
#include "decide/decide_pg.hpp"
#include "decide/self_defence_pg.hpp"
#include "identify/anonymous_pg.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/lock_pg.hpp"
#include "identify/rehearsal_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/in_force_pg.hpp"
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
#include "record/statement_text_pg.hpp"
#include "record/statements_pg.hpp"

#include <optional>
#include <utility>

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
    const char* const code = decision.sqlstate.c_str();
    const char* const detail = decision.detail.empty()
                                   ? pg::format("The statement is %s.", decision.reason.c_str())
                                   : pg::format("%s", decision.detail.c_str());
    throw pg::Refusal(MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]),
                      pg::format("%s", decision.message.c_str()), detail, pg::format("%s", decision.hint.c_str()),
                      pg::format("%s", decision.guardrail.c_str()));
}

// A locked actor says nothing, whatever it is; no observing and no grant changes that.
[[gnu::cold]] const decide::Decision& locked_out(const identify::Actor& actor) {
    static decide::Decision decision;
    decision = {};
    decision.verdict = decide::Verdict::kBlock;
    decision.enforced = true;
    decision.locked = true;
    decision.sqlstate = "28000";
    decision.message = "actor \"" + std::string(actor.name) + "\" is locked";
    return decision;
}

[[gnu::cold]] void warn(const decide::Decision& decision) {
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

// Planning a statement that is only asked about runs functions that call themselves immutable or stable.
[[gnu::cold]] void refuse_in_rehearsal(const classify::Statement& statement,
                                       const classify::Footprint& footprint) {
    constexpr ClassSet kReading = ClassSet(StatementClass::kRead) | StatementClass::kReadSensitive;
    if (statement.query != nullptr && (footprint.classes - kReading).empty()) return;
    throw pg::Refusal(ERRCODE_READ_ONLY_SQL_TRANSACTION, "planning may run nothing but queries that only read",
                      nullptr, "A function that calls itself immutable or stable tried more.");
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

// What the statement also rests on: roles that its actor holds for a time, data classes that are shown to it.
const decide::Decision& with_grants(const decide::Decision& decision, const classify::Statement& statement,
                                    const identify::Actor& actor, const classify::Footprint& footprint,
                                    const mask::Inspection& inspection) {
    auto const& with_roles = approve::with_grants(decision, approve::role_grants(actor, statement, footprint));
    return inspection.classified ? approve::with_grants(with_roles, mask::unmasking_grants()) : with_roles;
}

// Approvals that statements of this session run under.
approve::LentApprovals& lent() {
    static approve::LentApprovals all;
    return all;
}

// What becomes of `asked` when a person is asked. An approved statement is decided again: what has been blocked
// meanwhile stays blocked.
[[gnu::cold]] const decide::Decision& consult(const classify::Statement& statement, const identify::Actor& actor,
                                              const classify::Footprint& footprint, const decide::Decision& asked,
                                              std::optional<approve::Answer>& answer) {
    static decide::Decision decided;
    decided = asked;
    if (auto const* const outer = lent().covering(asked, record::is_open, record::runs)) {
        decided.approval = outer->request;
        decided.decided_by = outer->decided_by;
        return decided;
    }
    // A person sees the exact text, but for passwords; whoever is masked sees it without what masks would hide.
    auto const offset =
        statement.source == nullptr ? 0 : static_cast<std::size_t>(statement.text.data() - statement.source);
    record::StatementText const text(statement.text, offset, {}, record::Redaction::kNever);
    auto const sensitive = mask::sensitive_parts(statement);
    record::StatementText const shown(statement.text, offset, sensitive, record::Redaction::kAlways);
    auto const shown_value = [&sensitive](unsigned number, std::string_view value) {
        bool const whole = sensitive.any_literal || sensitive.has_parameter(number);
        return record::with_replacements(value, record::redact_value(value, whole, record::tokens()));
    };
    answer = approve::ask(statement, actor, identify::known_session(), footprint, decided,
                          {text.recorded(), shown.recorded(), shown_value, !sensitive.empty(), text.has_secrets(),
                           text.request_id(), text.reason()});
    if (answer->approved) {
        if (identify::is_locked(actor)) return locked_out(actor);
        auto const& again = approve::judge(actor, statement, footprint, decide::decide(actor, footprint));
        if (again.refuses() && !again.asks()) return again;
        decided.approval = answer->request;
        decided.decided_by = answer->decided_by;
        return decided;
    }
    // Nobody could be asked: a fault of hoopguard's own keeps no rescuer out.
    if (answer->request == 0 && identify::is_rescuer()) {
        decided.enforced = false;
        return decided;
    }
    decided.request = answer->request;
    decided.sqlstate = answer->sqlstate;
    decided.message = answer->message;
    decided.detail = answer->detail;
    decided.hint = answer->hint;
    return decided;
}

// LISTEN and NOTIFY on hoopguard's own channels.
[[gnu::cold]] const decide::Decision& withhold_channel() {
    static const decide::Decision withheld = [] {
        decide::Decision decision;
        decision.verdict = decide::Verdict::kBlock;
        decision.enforced = true;
        decision.message = "permission denied for channels of hoopguard";
        decision.reason = "LISTEN or NOTIFY";
        decision.hint = "They are for members of hoopguard_approver, hoopguard_auditor and hoopguard_admin.";
        return decision;
    }();
    return withheld;
}

const decide::Decision& decide_on(const classify::Statement& statement, const identify::Actor& actor,
                                  const classify::Footprint& footprint, std::optional<approve::Answer>& answer) {
    if (identify::is_locked(actor)) return locked_out(actor);
    if (approve::uses_channel(statement) && !approve::may_use_channels()) return withhold_channel();
    auto const& first = approve::judge(actor, statement, footprint, decide::decide(actor, footprint));
    if (first.refuses() && !first.asks()) return first;
    if (auto const* const defence = decide::defend(actor, statement, footprint)) return *defence;
    // Nobody is asked about what planning runs by the way.
    bool const asks = first.asks() && !identify::is_rehearsing();
    return asks ? consult(statement, actor, footprint, first, answer) : first;
}

}  // namespace

[[gnu::hot]] void pronounce(const decide::Decision& decision) {
    if (decision.refuses()) refuse(decision);
    if (decision.warns()) warn(decision);
}

[[gnu::hot]] void admit(const classify::Statement& statement) {
    if (!statement.nested) pg::forget_halt();
    identify::hold_to_bearer();
    approve::hold_to_admission();
    auto const& actor = identify::current_actor();
    identify::demand_bearer(statement.plan);
    approve::settle_roles(actor);
    auto const& footprint = classify::classify(statement);
    std::optional<approve::Answer> answer;
    auto const& judged = decide_on(statement, actor, footprint, answer);
    auto const inspection = mask::inspect(statement, actor);
    auto const& decision =
        judged.refuses() ? judged : with_grants(judged, statement, actor, footprint, inspection);
    auto const sensitive = mask::sensitive_parts(statement);
    // Record first: a denial that is not on record did not happen.
    auto const& speaker = identify::is_rehearsing() ? identify::known_actor() : actor;
    bool const durable = must_be_durable(statement, footprint);
    auto const begun = record::begin_statement(statement, speaker, identify::known_session(), footprint, decision,
                                               inspection.masked, sensitive,
                                               durable ? record::Start::kOwnEntry : record::Start::kMayWait);
    if (durable) record::wait_durable(begun.end);
    if (identify::is_rehearsing()) refuse_in_rehearsal(statement, footprint);
    if (answer && answer->approved)
        lent().lend({begun.number, answer->request, std::move(answer->decided_by), std::move(answer->voters)});
    pronounce(decision);
    approve::rest_on(statement, decision.grants);
    mask::verify(inspection);
    running::admitted(statement, begun.number, actor, footprint, decision);
}

void consult_late(const classify::Statement& statement, decide::Decision& decision) {
    std::optional<approve::Answer> answer;
    auto const& actor = identify::current_actor();
    decision = consult(statement, actor, classify::classify(statement), decision, answer);
    if (answer && answer->approved)
        lend_approval(answer->request, std::move(answer->decided_by), std::move(answer->voters));
}

void lend_approval(std::uint64_t request, std::vector<std::string> decided_by, approve::Voters voters) {
    lent().lend({record::running_statement(), request, std::move(decided_by), std::move(voters)});
}

void admit_login(Port* port) {
    identify::learn_connection(port);
    identify::learn_login_role(port);
    identify::admit_bearer(port);
    identify::learn_connection(port);
    identify::learn_bearer();
    identify::refuse_locked_login(identify::known_actor(), identify::known_session().login_role);
    if (!identify::is_rescuer()) approve::settle_login(port->user_name);
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
    // More than the client is told.
    static char text[1024];
    std::string_view const reason = identify::refusal_reason();
    bool const of_identity = error.sqlerrcode == ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION || logging_in;
    snprintf(text, sizeof text, "%s%s%.*s", error.message != nullptr ? error.message : "",
             reason.empty() || !of_identity ? "" : ": ", of_identity ? static_cast<int>(reason.size()) : 0,
             reason.data());
    if (!logging_in) {
        ErrorData told = error;
        if (of_identity) told.message = text;
        record::note_error(told, identify::known_actor(), identify::known_session(),
                           mask::sensitive_parts_of_failure());
        return;
    }
    identify::learn_connection(MyProcPort);
    record::record_login_failure(identify::known_actor(), identify::known_session(), error.sqlerrcode, text);
}

}  // namespace hoopguard
