// approve(), reject(), cancel(), wait_for_decision(): letters to the broker, and seeing requests in other
// databases.
#include "approve/ask_pg.hpp"
#include "approve/binding_pg.hpp"
#include "approve/speaker_pg.hpp"
#include "approve/waiting_pg.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "identify/session_pg.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/literals_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "pipeline.hpp"
#include "policy/mailbox_pg.hpp"
#include "record/statement_text_pg.hpp"
#include "sqlapi/one_transaction.hpp"
#include "sqlapi/own_call.hpp"

extern "C" {
#include "executor/spi.h"
#include "parser/parser.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

#include <string>

using namespace hoopguard;

namespace {

std::string speaker() {
    auto const& actor = identify::current_actor();
    return approve::speaker_json(actor, identify::known_session());
}

std::uint64_t request_of(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0)) pg::bad_argument("request", "NULL", "the number of a request");
    auto const number = PG_GETARG_INT64(0);
    if (number <= 0)
        pg::bad_argument("request", pg::format("%lld", static_cast<long long>(number)), "the number of a request");
    return static_cast<std::uint64_t>(number);
}

// A letter about the request that is the first argument.
base::JsonWriter letter_about(FunctionCallInfo fcinfo) {
    auto const number = request_of(fcinfo);
    base::JsonWriter letter;
    letter.json("speaker", speaker());
    letter.number("request", number);
    return letter;
}

void add_comment(base::JsonWriter& letter, FunctionCallInfo fcinfo) {
    if (PG_NARGS() < 2 || PG_ARGISNULL(1)) return;
    letter.text_if_any("comment",
                       approve::to_utf8(pg::call([fcinfo] { return text_to_cstring(PG_GETARG_TEXT_PP(1)); })));
}

std::string member(const std::string& answer, const char* name) {
    auto const parsed = base::Json::parse(answer);
    auto const* const value = parsed ? parsed->member(name) : nullptr;
    return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
}

std::int64_t number_of(const std::string& answer) {
    auto const parsed = base::Json::parse(answer);
    auto const* const value = parsed ? parsed->member("request") : nullptr;
    if (value == nullptr || value->number() == nullptr)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the hoopguard broker gave no number");
    return static_cast<std::int64_t>(*value->number());
}

Datum text_of(const std::string& utf8) {
    auto const own = approve::from_utf8(utf8);
    return pg::call(
        [&own] { return PointerGetDatum(cstring_to_text_with_len(own.data(), static_cast<int>(own.size()))); });
}

Datum send(policy::Errand errand, const base::JsonWriter& letter) {
    return text_of(member(policy::ask_broker(errand, letter.object()), "state"));
}

// In microseconds; months count as 30 days.
std::int64_t microseconds_of(const Interval* span) {
    return span->time + (span->day + std::int64_t{span->month} * DAYS_PER_MONTH) * USECS_PER_DAY;
}

// Nobody should decide about what cannot run once it is decided.
void require_one_transaction(List* statements) {
    ListCell* cell;
    foreach (cell, statements) {
        const char* const obstacle =
            sqlapi::obstacle_to_one_transaction(static_cast<RawStmt*>(lfirst(cell))->stmt);
        if (obstacle == nullptr) continue;
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid value for argument \"script\": it cannot run in one transaction"),
                        errdetail("It holds a command that %s.", obstacle),
                        errhint("Allowed: SQL statements; they run in one transaction of their own.")));
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_approve) {
    auto letter = letter_about(fcinfo);
    sqlapi::require_own_call("approve");
    letter.text("verdict", "approve");
    add_comment(letter, fcinfo);
    if (!PG_ARGISNULL(2))
        letter.text("duration", pg::call([fcinfo] {
                        return DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(2)));
                    }));
    return send(policy::Errand::kDecide, letter);
}

HOOPGUARD_SQL_FUNCTION(hoopguard_reject) {
    auto letter = letter_about(fcinfo);
    sqlapi::require_own_call("reject");
    letter.text("verdict", "reject");
    add_comment(letter, fcinfo);
    return send(policy::Errand::kDecide, letter);
}

HOOPGUARD_SQL_FUNCTION(hoopguard_cancel) {
    return send(policy::Errand::kCancel, letter_about(fcinfo));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_wait_for_decision) {
    auto const letter = letter_about(fcinfo).object();
    if (PG_ARGISNULL(1)) pg::bad_argument("timeout", "NULL", "an interval of 0 or more");
    auto const timeout = microseconds_of(PG_GETARG_INTERVAL_P(1));
    if (timeout < 0)
        pg::bad_argument("timeout", pg::call([fcinfo] {
                             return DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(1)));
                         }),
                         "an interval of 0 or more");
    auto const deadline = GetCurrentTimestamp() + timeout;
    // First the place, then the look: what is decided in between wakes.
    approve::Waiting waiting(static_cast<std::uint64_t>(PG_GETARG_INT64(0)), false);
    auto state = member(policy::ask_broker(policy::Errand::kLook, letter), "state");
    while (state == "pending" && waiting.admitted()) {
        if (!waiting.wait_until(deadline)) break;
        state = member(policy::ask_broker(policy::Errand::kLook, letter), "state");
    }
    return text_of(state);
}

HOOPGUARD_SQL_FUNCTION(hoopguard_request_script) {
    if (PG_ARGISNULL(0)) pg::bad_argument("script", "NULL", "SQL statements");
    auto const* const script = pg::call([fcinfo] {
        char* const given = text_to_cstring(PG_GETARG_TEXT_PP(0));
        // A script that does not parse is nobody's to decide.
        List* const statements = raw_parser(given, RAW_PARSE_DEFAULT);
        if (statements == NIL)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("invalid value for argument \"script\": it holds no statement")));
        require_one_transaction(statements);
        return given;
    });
    auto const& actor = identify::current_actor();
    auto const& session = identify::known_session();
    base::JsonWriter letter;
    letter.json("speaker", speaker());
    letter.text("kind", "script");
    letter.text("statement", approve::to_utf8(script));
    letter.text("digest", approve::binding_of_script(script, actor, session));
    // What its literals are for, nobody knows yet.
    record::StatementText const shown(script, 0, mask::sensitive_parts_of_failure(), record::Redaction::kAlways);
    if (shown.recorded() != script) letter.text("shown_statement", approve::to_utf8(shown.recorded()));
    auto const given =
        PG_ARGISNULL(1) ? nullptr : pg::call([fcinfo] { return text_to_cstring(PG_GETARG_TEXT_PP(1)); });
    letter.text_if_any("reason", approve::to_utf8(given != nullptr ? given : pg::settings.reason));
    letter.text_if_any("request_id", approve::to_utf8(pg::settings.request_id));
    return Int64GetDatum(number_of(policy::ask_broker(policy::Errand::kFile, letter.object())));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_run_script) {
    auto const request = request_of(fcinfo);
    auto const& actor = identify::current_actor();
    auto answer = approve::use_script(request, actor, identify::known_session());
    lend_approval(request, std::move(answer.decided_by), std::move(answer.voters));
    auto const* const script = answer.message.c_str();
    pg::call([script] {
        SPI_connect();
        int const outcome = SPI_execute(script, false, 0);
        if (outcome < 0)
            ereport(ERROR,
                    (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the script cannot run in one transaction"),
                     errdetail("It holds a command that ends a transaction, or cannot run within one: %s.",
                               SPI_result_code_string(outcome))));
        SPI_finish();
    });
    return text_of("done");
}

HOOPGUARD_SQL_FUNCTION(hoopguard_is_own_request) {
    if (PG_ARGISNULL(1)) return BoolGetDatum(false);
    auto const& actor = identify::current_actor();
    auto const same = [fcinfo](int argument, std::string_view own) {
        if (PG_ARGISNULL(argument)) return own.empty();
        auto const* const value = pg::call([fcinfo, argument] { return PG_GETARG_TEXT_PP(argument); });
        return std::string_view(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) == own;
    };
    return BoolGetDatum(same(0, actor.provider) && same(1, actor.name));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_is_masked) {
    return BoolGetDatum(mask::is_masked_anywhere(identify::current_actor()));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_requests_json) {
    base::JsonWriter letter;
    letter.json("speaker", speaker());
    letter.json("masked", mask::is_masked_anywhere(identify::current_actor()) ? "true" : "false");
    auto const own = approve::from_utf8(policy::ask_broker(policy::Errand::kList, letter.object()));
    return pg::call([&own] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(own.c_str())); });
}
