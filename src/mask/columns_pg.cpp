// Label → data class → method, kept to the column's type; and columns without a label, where a policy names
// "unclassified".
#include "mask/columns_pg.hpp"

#include "mask/class_reading_pg.hpp"
#include "mask/data_class.hpp"
#include "mask/labels_pg.hpp"

#include <cstddef>

extern "C" {
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

constexpr AttrNumber kChunkData = 3;  // of a toast table

struct Entry {
    Oid relation;
    MaskedColumns* columns;
};

// Plain data per process; made on first use. All of it goes when what it rests on changes.
HTAB* entries = nullptr;
MemoryContext context_of_entries = nullptr;
std::uint64_t rules_then = 0;
std::uint64_t labels_then = 0;

std::size_t size_of(int count) {
    return offsetof(MaskedColumns, columns) + static_cast<std::size_t>(count) * sizeof(MaskedColumn);
}

void begin_cache(std::uint64_t rules, std::uint64_t labels) {
    if (entries != nullptr && rules == rules_then && labels == labels_then) return;
    if (context_of_entries == nullptr)
        context_of_entries = AllocSetContextCreate(CacheMemoryContext, "hoopguard masks", ALLOCSET_SMALL_SIZES);
    entries = nullptr;
    MemoryContextReset(context_of_entries);
    HASHCTL control = {};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(Entry);
    control.hcxt = context_of_entries;
    entries = hash_create("hoopguard masks", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    rules_then = rules;
    labels_then = labels;
}

// numeric(p, s): how many digits may stand before the point, at least one.
std::uint32_t whole_digits(int32 typmod) {
    int const precision = (typmod - VARHDRSZ) >> 16 & 0xFFFF;
    int const scale = (((typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
    return precision > scale ? static_cast<std::uint32_t>(precision - scale) : 1;
}

MaskSpec spec_for(const Method& method, Oid type, int32 typmod) {
    MaskSpec spec;
    spec.method = fitting(method, family_of(type));
    Oid base = getBaseTypeAndTypmod(type, &typmod);
    // An array's modifier is its elements'.
    if (Oid const element = get_element_type(base); OidIsValid(element)) base = element;
    if (typmod < VARHDRSZ) return spec;
    if (base == VARCHAROID || base == BPCHAROID) {
        spec.most_characters = static_cast<std::uint32_t>(typmod - VARHDRSZ);
        spec.padded = base == BPCHAROID;
    } else if (base == NUMERICOID) {
        spec.most_characters = whole_digits(typmod);
    }
    return spec;
}

struct Names {
    std::string_view* texts;
    int count;
};

std::string_view name_of(Oid relation) {
    const char* const schema = get_namespace_name(get_rel_namespace(relation));
    const char* const name = get_rel_name(relation);
    return psprintf("%s.%s", schema != nullptr ? schema : "", name != nullptr ? name : "");
}

Names names_of(List* relations) {
    Names names = {static_cast<std::string_view*>(
                       palloc0(sizeof(std::string_view) * static_cast<std::size_t>(list_length(relations) + 1))),
                   0};
    ListCell* cell;
    foreach (cell, relations) names.texts[names.count++] = name_of(lfirst_oid(cell));
    return names;
}

// Names matter only to policies with objects; most clusters have none.
TableNames table_names(const MaskRules& rules, Oid relation) {
    if (!rules.any_objects()) return {};
    Names const own = names_of(lcons_oid(relation, ancestors_of(relation)));
    List* below = NIL;
    ListCell* cell;
    foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
        if (lfirst_oid(cell) != relation) below = lappend_oid(below, lfirst_oid(cell));
    Names const children = names_of(below);
    return {{own.texts, static_cast<std::size_t>(own.count)},
            {children.texts, static_cast<std::size_t>(children.count)}};
}

// Text and json, arrays of them and domains over them.
bool may_hold_text(Oid type) {
    Oid base = getBaseType(type);
    Oid const element = get_element_type(base);
    if (OidIsValid(element)) base = getBaseType(element);
    return base == JSONOID || base == JSONBOID || family_of(base) == TypeFamily::kText;
}

void add(MaskedColumns* masked, AttrNumber number, const Method& method, const char* data_class) {
    if (method.kind == MethodKind::kClear || masked->find(number) != nullptr) return;
    MaskedColumn& column = masked->columns[masked->count++];
    column.number = number;
    column.spec = pack({method});
    strlcpy(column.data_class, data_class, NAMEDATALEN);
}

bool is_labelled(const ClassifiedColumns* classified, AttrNumber number) {
    for (int i = 0; classified != nullptr && i < classified->count; ++i)
        if (classified->columns[i].number == number) return true;
    return false;
}

// The relation whose columns without a label count: of a toast table its owner. InvalidOid: none do. What a masked
// session keeps in temporary tables was masked when it got there.
Oid unlabelled_source(Relation relation) {
    Oid const schema = RelationGetNamespace(relation);
    switch (relation->rd_rel->relkind) {
        case RELKIND_TOASTVALUE: {
            unsigned owner = 0;
            return sscanf(RelationGetRelationName(relation), "pg_toast_%u", &owner) == 1 ? owner : InvalidOid;
        }
        case RELKIND_RELATION:
        case RELKIND_PARTITIONED_TABLE:
        case RELKIND_MATVIEW:
        case RELKIND_FOREIGN_TABLE: break;
        default: return InvalidOid;
    }
    if (isTempNamespace(schema) || schema == get_namespace_oid("hoopguard", true)) return InvalidOid;
    return RelationGetRelid(relation);
}

MaskedColumns* add_unlabelled(MaskedColumns* masked, const ClassifiedColumns* classified, Relation relation,
                              const Method& method) {
    if (unlabelled_source(relation) != RelationGetRelid(relation)) return masked;
    int const count = RelationGetNumberOfAttributes(relation);
    auto* all = static_cast<MaskedColumns*>(palloc0(size_of(masked->count + count)));
    memcpy(all, masked, size_of(masked->count));
    for (AttrNumber number = 1; number <= count; ++number) {
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
        if (attribute->attisdropped || is_labelled(classified, number)) continue;
        if (may_hold_text(attribute->atttypid)) add(all, number, method, kUnclassified.data());
    }
    return all;
}

MaskedColumns* resolve(const MaskRules& rules, Oid relation) {
    const ClassifiedColumns* const cached = classified_columns(relation);
    if (cached == nullptr && !rules.any_unclassified()) return nullptr;
    // A copy: what follows may read catalogs, and the original belongs to the cache of labels.
    ClassifiedColumns* classified = nullptr;
    if (cached != nullptr) {
        classified = static_cast<ClassifiedColumns*>(palloc(size_of_columns(cached->count)));
        memcpy(classified, cached, size_of_columns(cached->count));
    }
    int const count = classified != nullptr ? classified->count : 0;
    auto* masked = static_cast<MaskedColumns*>(palloc0(size_of(count + 1)));
    masked->relation = relation;
    TableNames const names = table_names(rules, relation);
    for (int i = 0; i < count; ++i)
        add(masked, classified->columns[i].number, rules.method(classified->columns[i].data_class, names),
            classified->columns[i].data_class);
    Method const unlabelled =
        rules.any_unclassified() ? rules.method(kUnclassified, names) : Method{MethodKind::kClear};
    Relation const opened = try_relation_open(relation, AccessShareLock);
    if (opened == nullptr) return nullptr;
    if (unlabelled.kind != MethodKind::kClear) {
        Oid const source = unlabelled_source(opened);
        if (OidIsValid(source) && source != relation) {
            if (columns_under(rules, source) != nullptr) add(masked, kChunkData, unlabelled, kUnclassified.data());
        } else {
            masked = add_unlabelled(masked, classified, opened, unlabelled);
        }
    }
    for (int i = 0; i < masked->count; ++i) {
        MaskedColumn& column = masked->columns[i];
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(opened), column.number - 1);
        column.spec = pack(spec_for(unpack(column.spec).method, attribute->atttypid, attribute->atttypmod));
    }
    relation_close(opened, NoLock);
    return masked->count > 0 ? masked : nullptr;
}

MaskedColumns* copy_into(MemoryContext context, const MaskedColumns* columns) {
    auto* copy = static_cast<MaskedColumns*>(MemoryContextAlloc(context, size_of(columns->count)));
    memcpy(copy, columns, size_of(columns->count));
    return copy;
}

}  // namespace

const MaskedColumns* columns_under(const MaskRules& rules, Oid relation) {
    if (relation < FirstNormalObjectId || !rules.any()) return nullptr;
    begin_cache(rules.fingerprint(), label_changes());
    auto* known = static_cast<Entry*>(hash_search(entries, &relation, HASH_FIND, nullptr));
    if (known != nullptr)
        return known->columns != nullptr ? copy_into(CurrentMemoryContext, known->columns) : nullptr;
    std::uint64_t const before = label_changes();
    MaskedColumns* const found = resolve(rules, relation);
    // What changed meanwhile may not be in it.
    if (before != label_changes()) return found;
    begin_cache(rules.fingerprint(), before);
    MaskedColumns* const kept = found != nullptr ? copy_into(context_of_entries, found) : nullptr;
    static_cast<Entry*>(hash_search(entries, &relation, HASH_ENTER, nullptr))->columns = kept;
    return found;
}

}  // namespace hoopguard::mask
