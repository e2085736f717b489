// in_database(): one statement in another database of the cluster, with the rights of the extension's owner.
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "sqlapi/errand_call.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

using namespace hoopguard;

HOOPGUARD_SQL_FUNCTION(hoopguard_in_database) {
    if (PG_ARGISNULL(0)) pg::bad_argument("database", "NULL", "the name of a database");
    if (PG_ARGISNULL(1)) pg::bad_argument("statement", "NULL", "one statement");
    if (PG_ARGISNULL(2)) pg::bad_argument("read_only", "NULL", "true or false");
    auto order = sqlapi::order_of(PG_GETARG_BOOL(2));
    return pg::call([&order, fcinfo] {
        order.owner = sqlapi::owner_of(fcinfo->flinfo->fn_oid);
        auto const* const answer = sqlapi::run_errand(order, text_to_cstring(PG_GETARG_TEXT_PP(0)),
                                                      text_to_cstring(PG_GETARG_TEXT_PP(1)), nullptr);
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
    });
}
