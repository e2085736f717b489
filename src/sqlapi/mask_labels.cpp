// classify_column(), declassify_column() and what the views of classified columns stand on.
#include "mask/label_rules_pg.hpp"
#include "mask/labels_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
}

namespace {

// Sets or removes (null) the label of a column given by name.
void set_label(Oid relation, const char* column, const char* label) {
    // The lock that SECURITY LABEL takes.
    LockRelationOid(relation, ShareUpdateExclusiveLock);
    const char* const name = get_rel_name(relation);
    if (name == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("argument \"relation\": there is no relation with OID %u", relation)));
    AttrNumber const number = get_attnum(relation, column);
    if (number <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("argument \"column_name\": relation \"%s\" has no column \"%s\"", name, column)));
    ObjectAddress object;
    ObjectAddressSubSet(object, RelationRelationId, relation, number);
    hoopguard::mask::set_label(&object, label);
}

void require(FunctionCallInfo fcinfo, int argument, const char* name) {
    if (PG_ARGISNULL(argument))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not be null", name)));
}

// One row for each classified column: its number, its class, whether the label is its own.
void put_classes(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, 0);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    Oid const relation = PG_GETARG_OID(0);
    const auto* columns = hoopguard::mask::classified_columns(relation);
    if (columns == nullptr) return;
    for (int i = 0; i < columns->count; ++i) {
        Datum values[] = {Int16GetDatum(columns->columns[i].number),
                          CStringGetTextDatum(columns->columns[i].data_class)};
        bool nulls[] = {false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_classify_column) {
    hoopguard::pg::call([fcinfo] {
        require(fcinfo, 0, "relation");
        require(fcinfo, 1, "column_name");
        require(fcinfo, 2, "data_class");
        set_label(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), text_to_cstring(PG_GETARG_TEXT_PP(2)));
    });
    PG_RETURN_VOID();
}

HOOPGUARD_SQL_FUNCTION(hoopguard_declassify_column) {
    hoopguard::pg::call([fcinfo] {
        require(fcinfo, 0, "relation");
        require(fcinfo, 1, "column_name");
        set_label(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), nullptr);
    });
    PG_RETURN_VOID();
}

HOOPGUARD_SQL_FUNCTION(hoopguard_column_classes) {
    hoopguard::pg::call([fcinfo] { put_classes(fcinfo); });
    PG_RETURN_NULL();
}
