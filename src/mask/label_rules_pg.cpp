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
    bool known = false;
    for (const auto& one : built_in_classes()) known = known || one.name == label;
    if (known) return;
    if (kUnclassified == label)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("data class \"unclassified\" is that of columns without a label"),
                        errhint("declassify_column() removes a label.")));
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown data class \"%s\"", label),
                    errhint("hoopguard.data_class lists the data classes.")));
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

void check_fit(Relation relation, AttrNumber number, const char* label) {
    Oid const type = TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;
    Method const method = default_method(label);
    if (fits(method, family_of(type))) return;
    char spelled[64];
    describe(method, spelled, sizeof spelled);
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of type %s cannot be classified as \"%s\"",
                           NameStr(TupleDescAttr(RelationGetDescr(relation), number - 1)->attname),
                           format_type_be(type), label),
                    errdetail("Method %s cannot mask that type and keep it.", spelled),
                    errhint("Choose a class with method %s.",
                            fits({MethodKind::kRedact}, family_of(type)) ? "redact or null" : "null")));
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

bool any_label() {
    bool any = false;
    Relation catalog = table_open(SecLabelRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
    HeapTuple tuple;
    while (!any && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        bool is_null;
        Datum const provider = heap_getattr(tuple, Anum_pg_seclabel_provider, RelationGetDescr(catalog), &is_null);
        any = !is_null && strcmp(TextDatumGetCString(provider), kLabelProvider) == 0;
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return any;
}

}  // namespace hoopguard::mask
