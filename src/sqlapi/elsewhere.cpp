// What the functions do that can only be done in the control database, in every other one: the same call there, by
// a worker with the roles and the token of whoever calls, in a transaction of its own. The arguments travel as
// literals of a statement that is made here; nobody hands one over.
#include "approve/speaker_pg.hpp"
#include "base/json.hpp"
#include "identify/bearing_pg.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "sqlapi/errand_call.hpp"
#include "sqlapi/own_call.hpp"
#include "sqlapi/result_set.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_proc.h"
#include "lib/stringinfo.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <string>

using namespace hoopguard;

namespace {

// Nobody waits for ever; whoever wants less sets statement_timeout.
constexpr int kStatementTimeout = 600'000;

// What pg_proc says of the function that is called; palloc'ed.
struct Called {
    const char* name;
    bool ours;
    bool writes;
    int arguments;
    Oid* types;
    char** names;
};

Called called_function(FunctionCallInfo call) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(call->flinfo->fn_oid));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", call->flinfo->fn_oid);
    auto const* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    Called called = {};
    called.name = pstrdup(NameStr(form->proname));
    auto const* const schema = get_namespace_name(form->pronamespace);
    called.ours = schema != nullptr && strcmp(schema, "hoopguard") == 0;
    called.writes = form->provolatile == PROVOLATILE_VOLATILE;
    called.arguments = form->pronargs;
    Oid* all_types = nullptr;
    char* modes = nullptr;
    (void)get_func_arg_info(tuple, &all_types, &called.names, &modes);
    // Those that a caller gives come first (all of these functions return what they do as TABLE, or a value).
    called.types = all_types;
    ReleaseSysCache(tuple);
    return called;
}

// name => 'value'::type, of every argument.
void add_arguments(StringInfo text, const Called& called, FunctionCallInfo call) {
    for (int i = 0; i < called.arguments; ++i) {
        appendStringInfo(text, "%s%s => ", i == 0 ? "" : ", ", quote_identifier(called.names[i]));
        if (call->args[i].isnull) {
            appendStringInfoString(text, "NULL");
            continue;
        }
        Oid output;
        bool varlena;
        getTypeOutputInfo(called.types[i], &output, &varlena);
        appendStringInfo(text, "%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, call->args[i].value)),
                         format_type_be_qualified(called.types[i]));
    }
}

// The rows come as arrays of texts, so that each is read here as its type is written there.
const char* statement_for(const Called& called, int columns, FunctionCallInfo call) {
    StringInfoData text;
    StringInfoData names;
    initStringInfo(&text);
    initStringInfo(&names);
    appendStringInfoString(&text, "SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(");
    for (int i = 1; i <= columns; ++i) {
        appendStringInfo(&text, "%sc%d::pg_catalog.text", i == 1 ? "" : ", ", i);
        appendStringInfo(&names, "%sc%d", i == 1 ? "" : ", ", i);
    }
    appendStringInfo(&text, ")), '[]') FROM hoopguard.%s(", quote_identifier(called.name));
    add_arguments(&text, called, call);
    appendStringInfo(&text, ") AS answer%s", columns == 0 ? "" : psprintf(" (%s)", names.data));
    return text.data;
}

identify::SessionRoles roles_of_caller() {
    return {identify::authenticated_role(), GetSessionUserId(), GetOuterUserId(), GetUserId()};
}

// What would do later what whoever is at work has not asked for, or cannot be taken back where it must be.
void require_sound_call(const Called& called) {
    if (!called.ours) throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE, "this is no function of hoopguard's");
    if (pg::call([] { return InSecurityRestrictedOperation(); }))
        throw pg::Refusal(
            ERRCODE_INSUFFICIENT_PRIVILEGE,
            pg::format("hoopguard.%s() cannot be called within a security-restricted operation", called.name));
    if (!called.writes) return;
    sqlapi::require_own_call(called.name);
    pg::call([&called] {
        if (!RecoveryInProgress()) PreventCommandIfReadOnly(psprintf("hoopguard.%s()", called.name));
    });
}

[[noreturn]] void refuse_without_extension(const pg::Error& error) {
    throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                      pg::format("the control database \"%s\" does not hold hoopguard as this library needs it",
                                 pg::settings.database),
                      pg::format("%s", error.what()),
                      "Run CREATE EXTENSION hoopguard there, or ALTER EXTENSION hoopguard UPDATE.");
}

bool is_of_missing_extension(const pg::Error& error) {
    return error.sqlstate() == ERRCODE_INVALID_SCHEMA_NAME || error.sqlstate() == ERRCODE_UNDEFINED_FUNCTION ||
           error.sqlstate() == ERRCODE_UNDEFINED_DATABASE;
}

const char* ask(const Called& called, int columns, FunctionCallInfo call) {
    auto order = sqlapi::order_of(!called.writes);
    order.asker = roles_of_caller();
    order.statement_timeout = StatementTimeout > 0 ? StatementTimeout : kStatementTimeout;
    auto const* const speaks = identify::bearer();
    std::string const bearer = speaks != nullptr ? identify::to_json(*speaks) : std::string();
    auto const* const text = bearer.empty() ? nullptr : bearer.c_str();
    try {
        return pg::call([&] {
            order.owner = sqlapi::owner_of(call->flinfo->fn_oid);
            return sqlapi::run_errand(order, pg::settings.database, statement_for(called, columns, call), text);
        });
    } catch (const pg::Error& error) {
        if (is_of_missing_extension(error)) refuse_without_extension(error);
        throw;
    }
}

// The rows of an answer; each value a text or nothing.
base::Json::Array rows_of(const char* answer) {
    auto const parsed = base::Json::parse(approve::to_utf8(answer));
    if (!parsed || parsed->array() == nullptr)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the answer of the control database cannot be read");
    return *parsed->array();
}

Datum value_of(const base::Json& row, std::size_t column, Oid type, bool& null) {
    auto const* const values = row.array();
    auto const* const text = values != nullptr && column < values->size() ? (*values)[column].text() : nullptr;
    null = text == nullptr;
    if (null) return 0;
    auto const own = approve::from_utf8(*text);
    return pg::call([&own, type] {
        Oid input;
        Oid parameter;
        getTypeInputInfo(type, &input, &parameter);
        return OidInputFunctionCall(input, pstrdup(own.c_str()), parameter, -1);
    });
}

// What the function returns, as a row of columns; of a value, one column.
TupleDesc columns_of(FunctionCallInfo call, Oid& type) {
    TupleDesc description = nullptr;
    auto const kind = get_call_result_type(call, &type, &description);
    return kind == TYPEFUNC_COMPOSITE ? description : nullptr;
}

void add_rows(FunctionCallInfo call, const base::Json::Array& rows, TupleDesc columns, Oid type) {
    sqlapi::ResultSet set(call, columns == nullptr);
    auto const count = static_cast<std::size_t>(columns != nullptr ? columns->natts : 1);
    auto* const values = static_cast<Datum*>(palloc0(count * sizeof(Datum)));
    auto* const nulls = static_cast<bool*>(palloc0(count * sizeof(bool)));
    for (auto const& row : rows) {
        for (std::size_t i = 0; i < count; ++i) {
            Oid const its = columns != nullptr ? TupleDescAttr(columns, static_cast<int>(i))->atttypid : type;
            values[i] = value_of(row, i, its, nulls[i]);
        }
        set.add(values, nulls);
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_elsewhere) {
    auto const called = pg::call([fcinfo] { return called_function(fcinfo); });
    require_sound_call(called);
    Oid type = InvalidOid;
    TupleDesc columns = nullptr;
    pg::call([fcinfo, &type, &columns] { columns = columns_of(fcinfo, type); });
    int const count = columns != nullptr ? columns->natts : type == VOIDOID ? 0 : 1;
    auto const rows = rows_of(ask(called, count, fcinfo));
    if (fcinfo->flinfo->fn_retset) {
        add_rows(fcinfo, rows, columns, type);
        return 0;
    }
    if (type == VOIDOID) return 0;
    bool null = true;
    Datum const value = rows.empty() ? Datum{0} : value_of(rows.front(), 0, type, null);
    fcinfo->isnull = null;
    return value;
}
