// The rules of labels. They hold for SECURITY LABEL and for classify_column() alike.
#include "mask/label_rules_pg.hpp"

#include "mask/data_class.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/labels_pg.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_seclabel.h"
#include "commands/extension.h"
#include "commands/seclabel.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

void check_privilege() {
    Oid const admin = get_role_oid("hoopguard_admin", true);
    if (superuser() || (OidIsValid(admin) && has_privs_of_role(GetUserId(), admin))) return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("must be a member of hoopguard_admin to classify columns"),
                    errdetail("Owning the table is not enough: its owner is not the one to say what it hides.")));
}

void check_extension() {
    if (OidIsValid(get_extension_oid("hoopguard", true))) return;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("columns cannot be classified in a database without the extension hoopguard"),
                    errhint("Run CREATE EXTENSION hoopguard; here first.")));
}

void check_relation(Relation relation) {
    char const kind = relation->rd_rel->relkind;
    if (RelationGetRelid(relation) < FirstNormalObjectId)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("columns of system table \"%s\" cannot be classified",
                               RelationGetRelationName(relation))));
    if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW ||
        kind == RELKIND_FOREIGN_TABLE)
        return;
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("columns of \"%s\" cannot be classified", RelationGetRelationName(relation)),
                    errdetail_relkind_not_supported(kind),
                    kind == RELKIND_VIEW
                        ? errhint("Classify the columns of the tables that the view reads: it shows them masked.")
                        : 0));
}

void check_class(const char* label) {
    if (kUnclassified == label)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("data class \"unclassified\" is that of columns without a label"),
                        errhint("declassify_column() removes a label.")));
    if (is_known_class(label)) return;
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown data class \"%s\"", label),
             errhint("hoopguard.data_class in the control database lists the data classes; a new one is known "
                     "when its row is committed.")));
}

// Where a row lies would tell the value: partitions are named by it.
void check_partition_key(Oid relation, const char* column) {
    ListCell* cell;
    foreach (cell, find_all_inheritors(relation, AccessShareLock, nullptr)) {
        AttrNumber const number = get_attnum(lfirst_oid(cell), column);
        if (number <= 0 || get_rel_relkind(lfirst_oid(cell)) != RELKIND_PARTITIONED_TABLE) continue;
        Relation table = relation_open(lfirst_oid(cell), NoLock);
        bool in_expression;
        Bitmapset* only = bms_make_singleton(number - FirstLowInvalidHeapAttributeNumber);
        if (has_partition_attrs(table, only, &in_expression))
            ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                            errmsg("column \"%s\" cannot be classified: \"%s\" is partitioned by it", column,
                                   RelationGetRelationName(table)),
                            errdetail("The partition that a row is in would tell what the mask hides.")));
        relation_close(table, NoLock);
    }
}

void refuse_misfit(const Method& method, const char* column, Oid type, const char* data_class) {
    char spelled[64];
    describe(method, spelled, sizeof spelled);
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of type %s cannot be classified as \"%s\"", column, format_type_be(type),
                           data_class),
                    errdetail("Method %s cannot mask that type and keep it.", spelled),
                    errhint("Choose a class with method %s.",
                            fits({MethodKind::kRedact}, family_of(type)) ? "redact or null" : "null")));
}

void check_fit(Relation relation, AttrNumber number, const char* label) {
    Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), number - 1);
    Method misfit;
    if (find_misfit(label, column->atttypid, &misfit))
        refuse_misfit(misfit, NameStr(column->attname), column->atttypid, label);
}

}  // namespace

void check_label(const ObjectAddress* object, const char* label) {
    check_privilege();
    if (object->classId != RelationRelationId || object->objectSubId <= 0)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("hoopguard classifies columns only"),
                        errhint("SECURITY LABEL FOR hoopguard ON COLUMN table.column IS 'class';")));
    Relation relation = relation_open(object->objectId, NoLock);
    check_relation(relation);
    auto const number = static_cast<AttrNumber>(object->objectSubId);
    if (label != nullptr) {
        check_extension();
        check_class(label);
        check_partition_key(object->objectId, get_attname(object->objectId, number, false));
        check_fit(relation, number, label);
    }
    relation_close(relation, NoLock);
    invalidate_labels(object->objectId);
}

void set_label(const ObjectAddress* object, const char* label) {
    check_label(object, label);
    SetSecurityLabel(object, kLabelProvider, label);
}

namespace {

// Calls `take` for each label of hoopguard in this database until it returns true; whether it did.
template <class Take>
bool any_label_that(Take take) {
    bool taken = false;
    Relation catalog = table_open(SecLabelRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
    HeapTuple tuple;
    while (!taken && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        bool no_provider, no_label;
        Datum const provider =
            heap_getattr(tuple, Anum_pg_seclabel_provider, RelationGetDescr(catalog), &no_provider);
        Datum const label = heap_getattr(tuple, Anum_pg_seclabel_label, RelationGetDescr(catalog), &no_label);
        if (no_provider || no_label || strcmp(TextDatumGetCString(provider), kLabelProvider) != 0) continue;
        auto* form = reinterpret_cast<FormData_pg_seclabel*>(GETSTRUCT(tuple));
        taken = take(form->objoid, static_cast<AttrNumber>(form->objsubid), TextDatumGetCString(label));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return taken;
}

}  // namespace

void check_labelled(const char* data_class, const Method& method) {
    any_label_that([&](Oid relation, AttrNumber number, const char* label) {
        if (number <= 0 || strcmp(label, data_class) != 0) return false;
        char* const column = get_attname(relation, number, true);
        if (column == nullptr) return false;
        Oid const type = get_atttype(relation, number);
        if (fits(method, family_of(type)) || falls_back(data_class, method, family_of(type))) return false;
        char spelled[64];
        describe(method, spelled, sizeof spelled);
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("data class \"%s\" cannot be masked by %s", data_class, spelled),
                        errdetail("Column \"%s\" of \"%s\" carries it, and %s cannot mask type %s and keep it.",
                                  column, get_rel_name(relation), spelled, format_type_be(type))));
        return true;
    });
}

bool any_label() {
    return any_label_that([](Oid, AttrNumber, const char*) { return true; });
}

}  // namespace hoopguard::mask
