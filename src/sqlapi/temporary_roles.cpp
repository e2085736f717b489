// issue_credential(), and what the broker asks about processes before it removes a role.
#include "identify/bearing_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"

extern "C" {
#include "funcapi.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

using namespace hoopguard;

// Also while it is still logging in, which pg_stat_activity does not show.
HOOPGUARD_SQL_FUNCTION(hoopguard_process_exists) {
    int const pid = PG_GETARG_INT32(0);
    return BoolGetDatum(pg::call([pid] { return BackendPidGetProc(pid) != nullptr; }));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_sessions_of_role) {
    Oid const role = PG_GETARG_OID(0);
    return Int32GetDatum(pg::call([role] { return CountUserBackends(role); }));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_issue_credential) {
    if (PG_ARGISNULL(0)) pg::bad_argument("token", "NULL", "a token of an identity provider");
    auto* const token = pg::call([fcinfo] { return PG_GETARG_TEXT_PP(0); });
    auto const credential = identify::issue_credential({VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token)});
    return pg::call([&credential, fcinfo] {
        TupleDesc description;
        if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "issue_credential() must be called as a row");
        Datum values[] = {CStringGetTextDatum(credential.username.c_str()),
                          CStringGetTextDatum(credential.password.c_str()),
                          TimestampTzGetDatum(time_t_to_timestamptz(credential.valid_until))};
        bool nulls[] = {false, false, false};
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
    });
}
