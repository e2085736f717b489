// session_preload_libraries of a role, which only superusers may set: for the functions of hoopguard's that have a
// server turn roles away which was started without it.
#include "decide/self_defence_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

using namespace hoopguard;

namespace {

// `libraries`: none of them is NULL; without any the setting goes.
const char* statement_for(const char* role, ArrayType* libraries) {
    Datum* names = nullptr;
    int count = 0;
    deconstruct_array(libraries, TEXTOID, -1, false, TYPALIGN_INT, &names, nullptr, &count);
    StringInfoData command;
    initStringInfo(&command);
    appendStringInfo(&command, "ALTER ROLE %s %s session_preload_libraries", quote_identifier(role),
                     count == 0 ? "RESET" : "SET");
    for (int i = 0; i < count; ++i)
        appendStringInfo(&command, "%s%s", i == 0 ? " = " : ", ",
                         quote_literal_cstr(TextDatumGetCString(names[i])));
    return command.data;
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_store_preload) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) pg::bad_argument("role", "NULL", "a role and the names of libraries");
    decide::OwnDeed const deed;
    pg::call([fcinfo] {
        auto const* const statement =
            statement_for(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_ARRAYTYPE_P(1));
        SPI_connect();
        (void)SPI_execute(statement, false, 0);
        SPI_finish();
    });
    return 0;
}
