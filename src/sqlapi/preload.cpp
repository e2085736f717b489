// session_preload_libraries of a role, which only superusers may set: for the functions of hoopguard's that have a
// server turn roles away which was started without it.
#include "decide/self_defence_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "sqlapi/datums.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
}

using namespace hoopguard;

namespace {

// `libraries`: an array of texts; without any the setting goes.
const char* statement_for(const char* role, Datum libraries) {
    auto const names = sqlapi::elements_of(libraries, TEXTOID);
    StringInfoData command;
    initStringInfo(&command);
    appendStringInfo(&command, "ALTER ROLE %s %s session_preload_libraries", quote_identifier(role),
                     names.count == 0 ? "RESET" : "SET");
    for (int i = 0; i < names.count; ++i)
        appendStringInfo(&command, "%s%s", i == 0 ? " = " : ", ",
                         quote_literal_cstr(TextDatumGetCString(names.values[i])));
    return command.data;
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_store_preload) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) pg::bad_argument("role", "NULL", "a role and the names of libraries");
    decide::OwnDeed const deed;
    pg::call([fcinfo] {
        auto const* const statement = statement_for(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_DATUM(1));
        SPI_connect();
        (void)SPI_execute(statement, false, 0);
        SPI_finish();
    });
    return 0;
}
