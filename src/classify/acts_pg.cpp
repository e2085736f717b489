// Names are taken while the catalogs still have them; what belongs to what is settled when all is dropped.
#include "classify/acts_pg.hpp"

#include "classify/footprint_builder.hpp"
#include "classify/functions_pg.hpp"
#include "classify/names_pg.hpp"
#include "classify/plan_pg.hpp"
#include "pg/boundary.hpp"

#include <algorithm>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_transform.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

constexpr std::string_view kNoKind = "object";

// What pg_class and pg_type say of an object that is no object of its own, or only a part of one.
struct Belonging {
    bool own = true;
    Oid whole = InvalidOid;  // the relation it goes with
};

Belonging belonging_of_relation(Oid relation, int part) {
    if (part != 0) return {true, relation};
    char const kind = get_rel_relkind(relation);
    if (kind == RELKIND_TOASTVALUE || kind == RELKIND_COMPOSITE_TYPE) return {false, InvalidOid};
    if (kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX) {
        Oid const table = IndexGetRelation(relation, true);
        return {get_rel_relkind(table) != RELKIND_TOASTVALUE, table};
    }
    if (kind != RELKIND_SEQUENCE) return {};
    Oid table = InvalidOid;
    int32 column = 0;
    if (!sequenceIsOwned(relation, DEPENDENCY_AUTO, &table, &column))
        (void)sequenceIsOwned(relation, DEPENDENCY_INTERNAL, &table, &column);
    return {true, table};
}

Belonging belonging_of_type(Oid type) {
    HeapTuple const tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) return {};
    auto const* const row = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    bool const of_relation = OidIsValid(row->typrelid) && get_rel_relkind(row->typrelid) != RELKIND_COMPOSITE_TYPE;
    bool const made_along = IsTrueArrayType(row) || row->typtype == TYPTYPE_MULTIRANGE;
    ReleaseSysCache(tuple);
    return {!of_relation && !made_along, InvalidOid};
}

Belonging belonging_of_constraint(Oid constraint) {
    HeapTuple const tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    if (!HeapTupleIsValid(tuple)) return {};
    Oid const table = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple))->conrelid;
    ReleaseSysCache(tuple);
    return {true, table};
}

// Triggers that PostgreSQL makes for constraints come and go as partitions do; the constraint is what counts.
Belonging belonging_of_trigger(Oid trigger) {
    Relation const triggers = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
    SysScanDesc const scan = systable_beginscan(triggers, TriggerOidIndexId, true, nullptr, 1, &key);
    HeapTuple const tuple = systable_getnext(scan);
    bool const internal =
        HeapTupleIsValid(tuple) && reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgisinternal;
    systable_endscan(scan);
    table_close(triggers, AccessShareLock);
    return {!internal, InvalidOid};
}

Belonging belonging_of(Oid catalog, Oid object, int part) {
    switch (catalog) {
        case RelationRelationId: return belonging_of_relation(object, part);
        case TypeRelationId: return belonging_of_type(object);
        case ConstraintRelationId: return belonging_of_constraint(object);
        case TriggerRelationId: return belonging_of_trigger(object);
        // Its column, its function or its table goes: what it did is judged there.
        case AttrDefaultRelationId: return {false, InvalidOid};
        default: return {};
    }
}

struct ShortName {
    const char* kind;  // null: not to be named here
    const char* schema;
    const char* name;
};

ShortName name_of_function(Oid function) {
    char const kind = get_func_prokind(function);
    const char* const word = kind == PROKIND_PROCEDURE   ? "procedure"
                             : kind == PROKIND_AGGREGATE ? "aggregate"
                                                         : "function";
    return {word, get_namespace_name(get_func_namespace(function)), get_func_name(function)};
}

// PostgreSQL's own naming (getObjectIdentityParts) spells argument types, which may be gone already.
ShortName short_name(Oid catalog, Oid object) {
    switch (catalog) {
        case ProcedureRelationId: return name_of_function(object);
        case OperatorRelationId: return {"operator", nullptr, get_opname(object)};
        case OperatorClassRelationId: return {"operator_class", nullptr, nullptr};
        case OperatorFamilyRelationId: return {"operator_family", nullptr, nullptr};
        case CastRelationId: return {"cast", nullptr, nullptr};
        case TransformRelationId: return {"transform", nullptr, nullptr};
        case AccessMethodOperatorRelationId:
        case AccessMethodProcedureRelationId: return {"object", nullptr, nullptr};
        default: return {nullptr, nullptr, nullptr};
    }
}

NamedObject name_of_dropped(Oid catalog, Oid object, int part) {
    auto const known = pg::call([=] { return short_name(catalog, object); });
    if (known.kind == nullptr) return name_of_address({catalog, object, part});
    std::string name = known.schema == nullptr ? "" : std::string(known.schema) + ".";
    return {known.kind, name.append(known.name == nullptr ? "" : known.name)};
}

ClassSet beyond_ddl(Oid catalog) {
    switch (catalog) {
        case PublicationRelationId:
        case SubscriptionRelationId: return kReplication;
        case ForeignDataWrapperRelationId:
        case ForeignServerRelationId:
        case UserMappingRelationId: return kEgress;
        default: return {};
    }
}

// Tables hold data of their own, whatever made them.
bool holds_rows(std::string_view kind) {
    return kind == "table" || kind == "materialized_view" || kind == "foreign_table";
}

// Parts go by their table's name (name_of_address).
bool is_part(std::string_view kind) {
    return kind == "column" || kind == "trigger" || kind == "rule" || kind == "policy" || kind == "constraint";
}

bool is_among(const std::vector<ObjectName>& objects, const ObjectName& one) {
    return std::ranges::any_of(objects, [&one](const ObjectName& object) {
        return object.classes.has(kDdlDrop) && object.kind == one.kind && object.name == one.name;
    });
}

}  // namespace

std::optional<DroppedObject> dropped_object(Oid catalog, Oid object, int part) {
    if (catalog == LargeObjectRelationId) return std::nullopt;
    auto const belonging = pg::call([=] { return belonging_of(catalog, object, part); });
    if (!belonging.own) return std::nullopt;
    auto named = name_of_dropped(catalog, object, part);
    if (named.kind == kNoKind) return std::nullopt;
    if (named.kind == "rule" && named.name.ends_with("._RETURN")) return std::nullopt;
    DroppedObject dropped;
    dropped.object.kind = named.kind;
    dropped.object.name = std::move(named.name);
    dropped.object.classes = ClassSet(kDdlDrop) | beyond_ddl(catalog);
    if (OidIsValid(belonging.whole))
        dropped.whole = name_of_relation(belonging.whole).name;
    else if (is_part(dropped.object.kind))
        dropped.whole = dropped.object.name;
    Oid const extension = pg::call([=] { return getExtensionOfObject(catalog, object); });
    if (dropped.whole.empty() && OidIsValid(extension) && !holds_rows(dropped.object.kind)) {
        auto const* const name = pg::call([extension] { return get_extension_name(extension); });
        dropped.whole = name == nullptr ? "" : name;
    }
    return dropped;
}

Footprint dropped_beyond(const std::vector<DroppedObject>& dropped, const std::vector<ObjectName>& named) {
    Footprint footprint;
    FootprintBuilder out(footprint);
    auto const goes_with_another = [&](const DroppedObject& one) {
        return !one.whole.empty() && std::ranges::any_of(dropped, [&one](const DroppedObject& other) {
            return !is_part(other.object.kind) && other.object.name == one.whole && &other != &one;
        });
    };
    for (auto const& one : dropped)
        if (!is_among(named, one.object) && !goes_with_another(one))
            out.add(one.object.classes, one.object.kind, one.object.name, true);
    return footprint;
}

Footprint truncated(Oid relation) {
    Footprint footprint;
    FootprintBuilder out(footprint);
    auto const& object = name_of_relation(relation);
    out.add(ClassSet(kWriteTruncate) | kWriteUnbounded, object.kind, object.name, false, relation, kAllRows);
    return footprint;
}

Footprint executed(Oid function, bool in_plan) {
    Footprint footprint;
    auto const effect = effect_of_function(function);
    footprint.classes = effect.classes;
    // Its argument is not known here: it may be any that an expression was planned with.
    if (effect.sets_setting && !in_plan && any_expression_sets_protected()) footprint.classes |= kConfig;
    return footprint;
}

}  // namespace hoopguard::classify
