// Who speaks, as SQL sees it: whoami(), current_actor(), claim(), login().
#include "decide/leave.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/saml_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pipeline_login.hpp"
#include "policy/in_force_pg.hpp"
#include "sqlapi/datums.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

// The two ends that the PAM module finds in the server's process.
PGDLLEXPORT int hoopguard_may_ask_for_token(void);
PGDLLEXPORT int hoopguard_verify_token(const char* user, const char* token);
}

#include <vector>

namespace {

using namespace hoopguard;

std::string_view text_argument(FunctionCallInfo fcinfo, int number) {
    auto* const value = pg::call([=] { return PG_GETARG_TEXT_PP(number); });
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

Datum text_or_null(std::string_view text, bool& null) {
    null = text.empty();
    return null ? Datum{0} : sqlapi::text_datum(text);
}

Datum groups_datum(std::span<const std::string> groups) {
    auto* const elements = static_cast<Datum*>(palloc(sizeof(Datum) * (groups.size() + 1)));
    int count = 0;
    for (const std::string& group : groups) elements[count++] = sqlapi::text_datum(group);
    return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum numbers_datum(const std::vector<std::uint64_t>& numbers) {
    auto* const elements = static_cast<Datum*>(palloc(sizeof(Datum) * (numbers.size() + 1)));
    int count = 0;
    for (const std::uint64_t number : numbers) elements[count++] = UInt64GetDatum(number);
    return PointerGetDatum(construct_array(elements, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// The just-in-time grants in force for this session, as far as there is a policy.
std::vector<std::uint64_t> grants_of(const identify::Actor& actor) {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    const policy::Image* const image = policy::in_force();
    if (image == nullptr) return {};
    return decide::grants_in_force(
        *image, {actor.provider, actor.name, identify::known_session().database, identify::session_id()},
        static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs));
}

}  // namespace

int hoopguard_may_ask_for_token(void) {
    return MyProcPort != nullptr && MyProcPort->ssl_in_use ? 1 : 0;
}

int hoopguard_verify_token(const char* user, const char* token) {
    return user != nullptr && token != nullptr && identify::offer_password(user, token) ? 1 : 0;
}

HOOPGUARD_SQL_FUNCTION(hoopguard_whoami) {
    const identify::Actor& actor = identify::current_actor();
    const std::vector<std::uint64_t> grants = grants_of(actor);
    return pg::call([&actor, &grants, fcinfo] {
        TupleDesc description;
        if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "whoami() must be called as a row");
        Datum values[10] = {};
        bool nulls[10] = {};
        values[0] = sqlapi::text_datum(actor.name);
        values[1] = sqlapi::text_datum(to_text(actor.kind));
        values[2] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
        values[3] = CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
        values[4] = text_or_null(actor.provider, nulls[4]);
        nulls[5] = actor.provider.empty();
        if (!nulls[5]) values[5] = groups_datum(actor.groups);
        values[6] = text_or_null(actor.on_behalf_of, nulls[6]);
        const auto session = identify::session_id();
        values[7] = CStringGetTextDatum(
            psprintf("%x.%x", static_cast<unsigned>(session >> 32), static_cast<unsigned>(session & 0xFFFFFFFFu)));
        nulls[8] = actor.expires_at == 0;
        if (!nulls[8])
            values[8] = TimestampTzGetDatum(time_t_to_timestamptz(static_cast<pg_time_t>(actor.expires_at)));
        values[9] = numbers_datum(grants);
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
    });
}

HOOPGUARD_SQL_FUNCTION(hoopguard_current_actor) {
    const identify::Actor& actor = identify::current_actor();
    return pg::call([&actor] { return sqlapi::text_datum(actor.name); });
}

// As jsonb's ->> has it: a text as itself, anything else as JSON; NULL where there is no such claim or no token.
HOOPGUARD_SQL_FUNCTION(hoopguard_claim) {
    const identify::Bearer* const speaks = identify::bearer();
    const char* const claims = speaks != nullptr ? speaks->claims.c_str() : nullptr;
    bool null = claims == nullptr || PG_ARGISNULL(0);
    Datum value = 0;
    if (!null)
        value = pg::call([&null, claims, fcinfo] {
            Datum const object = DirectFunctionCall1(jsonb_in, CStringGetDatum(claims));
            LOCAL_FCINFO(call, 2);
            InitFunctionCallInfoData(*call, nullptr, 2, InvalidOid, nullptr, nullptr);
            call->args[0].value = object;
            call->args[0].isnull = false;
            call->args[1].value = PG_GETARG_DATUM(0);
            call->args[1].isnull = false;
            Datum const found = jsonb_object_field_text(call);
            null = call->isnull;
            return found;
        });
    fcinfo->isnull = null;
    return value;
}

HOOPGUARD_SQL_FUNCTION(hoopguard_login) {
    if (PG_ARGISNULL(0)) pg::bad_argument("token", "NULL", "a token of an identity provider");
    identify::login(text_argument(fcinfo, 0));
    decide_login_by_token();
    const identify::Actor& actor = identify::current_actor();
    return pg::call([&actor] { return sqlapi::text_datum(actor.name); });
}

// NULL when SAML responses can be verified, else why they cannot.
HOOPGUARD_SQL_FUNCTION(hoopguard_saml_problem) {
    const auto version = identify::saml_program_version();
    fcinfo->isnull = version.ok();
    return version ? Datum{0} : pg::call([&version] { return sqlapi::text_datum(version.error().message); });
}
