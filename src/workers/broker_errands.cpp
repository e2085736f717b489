// What a letter asks for is done by an SQL function of the control database, in one transaction: the rows, the
// notices to send (hoopguard.outbox) and the answer. Its entries of the journal are durable before the commit, so
// that nothing is decided that is not on record; whoever waits is woken right after it.
#include "workers/broker_errands.hpp"

#include "approve/waiting_pg.hpp"
#include "base/json.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/worker_transaction.hpp"
#include "policy/mailbox_pg.hpp"
#include "workers/broker.hpp"
#include "workers/broker_entries.hpp"
#include "workers/broker_notices.hpp"
#include "workers/role_reaper.hpp"
#include "workers/uses_on_record.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

extern "C" {
#include "access/xlog.h"
#include "mb/pg_wchar.h"
}

namespace hoopguard::workers {

namespace {

// Who does an errand. `after` runs in the same transaction with the function's answer and may still refuse it all.
struct Doer {
    policy::Errand errand;
    const char* function;
    bool plain;  // the answer goes to the sender alone
    void (*after)(const base::Json& answer) = nullptr;
};

constexpr Doer kDoers[] = {
    {policy::Errand::kFile, "hoopguard.broker_file", false},
    {policy::Errand::kClaim, "hoopguard.broker_claim", false},
    {policy::Errand::kDecide, "hoopguard.broker_decide", false},
    {policy::Errand::kCancel, "hoopguard.broker_cancel", false},
    {policy::Errand::kLook, "hoopguard.broker_look", true},
    {policy::Errand::kList, "hoopguard.broker_list", true},
    {policy::Errand::kAskAccess, "hoopguard.broker_ask_access", false},
    {policy::Errand::kBreakGlass, "hoopguard.broker_break_glass", false},
    {policy::Errand::kRevoke, "hoopguard.broker_revoke", false},
    {policy::Errand::kMakeRole, "hoopguard.broker_make_role", false,
     [](const base::Json&) { expect_temporary_roles(); }},
};
constexpr Doer kGrantExpiry = {policy::Errand::kCount, "hoopguard.broker_end_grants", false};
constexpr Doer kReaping = {policy::Errand::kCount, "hoopguard.broker_reap_roles", false};
constexpr Doer kExpiry = {policy::Errand::kCount, "hoopguard.broker_expire", false};
constexpr Doer kListUnused = {policy::Errand::kCount, "hoopguard.broker_list_unused", true};
constexpr Doer kReplay = {policy::Errand::kCount, "hoopguard.broker_replay", false};

const Doer* doer_of(policy::Errand errand) {
    auto const* const found = std::ranges::find(kDoers, errand, &Doer::errand);
    return found == std::end(kDoers) ? nullptr : found;
}

SPIPlanPtr& plan_of(const Doer& doer) {
    static std::map<std::string_view, SPIPlanPtr> plans;
    return plans[doer.function];
}

// Within a transaction; the answer lives until its end. Both texts are UTF-8.
const char* call_function(const Doer& doer, const std::string& json) {
    auto& plan = plan_of(doer);
    return pg::call([&]() -> const char* {
        if (plan == nullptr) {
            Oid type = TEXTOID;
            char* const query = psprintf("SELECT %s($1::pg_catalog.jsonb)::pg_catalog.text", doer.function);
            SPIPlanPtr const made = SPI_prepare(query, 1, &type);
            if (made == nullptr) elog(ERROR, "could not prepare %s", query);
            SPI_keepplan(made);
            plan = made;
        }
        char* const own = pg_any_to_server(json.c_str(), static_cast<int>(json.size()), PG_UTF8);
        Datum value = CStringGetTextDatum(own);
        if (SPI_execute_plan(plan, &value, nullptr, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
            elog(ERROR, "%s gave no answer", doer.function);
        char* const answer = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
        return answer == nullptr ? "{}" : pg_server_to_any(answer, static_cast<int>(strlen(answer)), PG_UTF8);
    });
}

void wake_all(const base::Json& answer) {
    auto const* const wake = answer.member("wake");
    if (wake == nullptr || wake->array() == nullptr) return;
    for (auto const& one : *wake->array())
        if (one.number() != nullptr) approve::wake(*one.number());
}

policy::Failure failure_of(const ErrorData& error) {
    auto const text = [](const char* one) { return std::string(one != nullptr ? one : ""); };
    if (error.sqlerrcode == ERRCODE_UNDEFINED_FUNCTION || error.sqlerrcode == ERRCODE_INVALID_SCHEMA_NAME)
        return {ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the control database holds no requests",
                text(error.message),
                "Run CREATE EXTENSION hoopguard in the database that hoopguard.database names."};
    return {error.sqlerrcode, text(error.message), text(error.detail), text(error.hint)};
}

policy::Failure failure_of(const pg::Refusal& refusal) {
    auto const text = [](const char* one) { return std::string(one != nullptr ? one : ""); };
    return {refusal.sqlstate(), text(refusal.what()), text(refusal.detail()), text(refusal.hint())};
}

bool concerns_policy(const base::Json& answer) {
    auto const* const policy = answer.member("policy");
    return policy != nullptr && policy->boolean() != nullptr && *policy->boolean();
}

// One errand from its beginning to its commit; nothing of it stays when it throws.
void serve(const Doer& doer, const policy::Letter& letter) {
    pg::call(pg::begin_worker_transaction);
    std::string const json = call_function(doer, letter.json);
    base::Json answer;
    if (!doer.plain) {
        auto parsed = base::Json::parse(json);
        if (!parsed)
            throw pg::Refusal(ERRCODE_INTERNAL_ERROR,
                              pg::format("%s: %s", doer.function, parsed.error().message.c_str()));
        answer = std::move(*parsed);
        if (doer.after != nullptr) doer.after(answer);
        write_entries(answer);
    }
    policy::prepare_answer(letter, json, pg::call([] { return GetTopTransactionIdIfAny(); }));
    pg::call(pg::commit_worker_transaction);
    // What was given or taken back holds when the sender hears of it.
    if (concerns_policy(answer)) bring_policy_into_force();
    policy::hand_over(letter);
    wake_all(answer);
}

policy::Failure attempt(const Doer& doer, const policy::Letter& letter) {
    policy::Failure failure;
    try {
        serve(doer, letter);
        return {};
    } catch (const pg::Error& error) {
        failure = failure_of(*error.data());
    } catch (const pg::Refusal& refusal) {
        failure = failure_of(refusal);
    }
    pg::call([] { AbortCurrentTransaction(); });
    if (failure.sqlstate == 0) failure.sqlstate = ERRCODE_INTERNAL_ERROR;
    return failure;
}

void serve_letters() {
    while (auto const letter = policy::take_letter()) {
        auto const* const doer = doer_of(letter->errand);
        auto const failure = doer != nullptr ? attempt(*doer, *letter)
                                             : policy::Failure{ERRCODE_FEATURE_NOT_SUPPORTED,
                                                               "the broker knows no such errand", "", ""};
        if (failure.sqlstate != 0) policy::hand_over(*letter, failure);
        pg::call([] { CHECK_FOR_INTERRUPTS(); });
    }
    policy::sweep_letters();
}

// What the broker does of itself, from its beginning to its commit.
std::string do_own(const Doer& doer, const std::string& letter = "{}") {
    pg::call(pg::begin_worker_transaction);
    std::string json = call_function(doer, letter);
    auto const answer = base::Json::parse(json);
    if (!answer) throw pg::Refusal(ERRCODE_INTERNAL_ERROR, pg::format("%s", answer.error().message.c_str()));
    write_entries(*answer);
    pg::call(pg::commit_worker_transaction);
    wake_all(*answer);
    return json;
}

// Milliseconds until something expires again; 0: more is due now.
long expire_once() {
    auto const answer = base::Json::parse(do_own(kExpiry));
    auto const* const next = answer->member("next_ms");
    return next != nullptr && next->number() != nullptr ? static_cast<long>(*next->number()) : LONG_MAX;
}

// A control database without the extension holds nothing that could expire.
bool has_requests() {
    return pg::call([] {
        StartTransactionCommand();
        bool const found = pg::has_own_function("broker_expire");
        CommitTransactionCommand();
        return found;
    });
}

// Entries are durable before the rows that they are about: after a crash, or in a control database brought back
// from a backup, the journal may know of uses that the tables do not. Before anything is decided from the tables.
void replay_uses() {
    static bool replayed = false;
    if (replayed || !has_requests()) return;
    auto const unused = base::Json::parse(do_own(kListUnused));
    if (auto const letter = uses_on_record(*unused)) do_own(kReplay, *letter);
    replayed = true;
}

long expire(long most) {
    if (!has_requests()) return most;
    long left = 0;
    while (left == 0) left = expire_once();
    send_notices();
    return std::min(left, most);
}

}  // namespace

std::string end_grants() {
    return do_own(kGrantExpiry);
}

std::string reap_roles() {
    return do_own(kReaping);
}

void prepare_errands() {
    pg::call([] {
        // ALTER DATABASE or ALTER ROLE must not turn these on the broker.
        constexpr const char* kSettings[][2] = {{"default_transaction_read_only", "off"},
                                                {"default_transaction_isolation", "read committed"},
                                                {"session_replication_role", "origin"},
                                                {"row_security", "off"},
                                                {"statement_timeout", "0"},
                                                {"idle_in_transaction_session_timeout", "0"},
                                                {"lock_timeout", "5s"},
                                                {"search_path", "pg_catalog, pg_temp"},
                                                {"synchronous_commit", "on"},
                                                {"default_table_access_method", "heap"}};
        for (auto const& [name, value] : kSettings) SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
    });
    policy::recover_letters();
}

long do_errands(long most) {
    if (pg::call([] { return RecoveryInProgress(); })) return most;
    try {
        replay_uses();
        serve_letters();
        return expire(most);
    } catch (const pg::Error&) {
        pg::call([] { AbortCurrentTransaction(); });
        throw;
    } catch (const pg::Refusal&) {
        pg::call([] { AbortCurrentTransaction(); });
        throw;
    }
}

}  // namespace hoopguard::workers
