// The cache of classified columns. An entry is trusted while no invalidation has arrived since it was read; an
// entry that was read from more than its own relation goes with any relation's invalidation. Memory of an entry is
// freed only when it is read again, so that an invalidation never pulls it away from a reader.
#include "mask/labels_pg.hpp"

#include "mask/lineage_pg.hpp"

#include <cstddef>
#include <cstdint>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_seclabel.h"
#include "rewrite/prs2lock.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace hoopguard::mask {

namespace {

struct Entry {
    Oid relation;
    bool stale;
    bool linked;             // read from other relations too
    std::uint64_t all_seen;  // what the counters below stood at when it was read
    std::uint64_t linked_seen;
    ClassifiedColumns* columns;
    NameData schema;
    NameData name;
};

// Plain data per process; made on first use, so that a fork of the postmaster starts empty.
HTAB* entries = nullptr;
MemoryContext context_of_entries = nullptr;
std::uint64_t all_changes = 1;
std::uint64_t linked_changes = 1;

void relation_changed(Datum, Oid relation) noexcept {
    if (!OidIsValid(relation)) {
        ++all_changes;
        return;
    }
    if (relation < FirstNormalObjectId) return;
    ++linked_changes;
    if (entries == nullptr) return;
    auto* entry = static_cast<Entry*>(hash_search(entries, &relation, HASH_FIND, nullptr));
    if (entry != nullptr) entry->stale = true;
}

// What is being read: grows in the current memory context.
struct Reading {
    Oid relation;
    bool linked;
    int room;
    ClassifiedColumns* found;
};

constexpr std::size_t size_of(int count) {
    return offsetof(ClassifiedColumns, columns) + static_cast<std::size_t>(count) * sizeof(ClassifiedColumn);
}

bool is_classified(const ClassifiedColumns* columns, AttrNumber number) {
    for (int i = 0; i < columns->count; ++i)
        if (columns->columns[i].number == number) return true;
    return false;
}

void add(Reading& reading, AttrNumber number, const char* data_class) {
    ClassifiedColumns* found = reading.found;
    for (int i = 0; i < found->count; ++i)
        if (found->columns[i].number == number && strcmp(found->columns[i].data_class, data_class) == 0) return;
    if (found->count == reading.room) {
        reading.room = reading.room * 2 + 4;
        found = reading.found = static_cast<ClassifiedColumns*>(repalloc(found, size_of(reading.room)));
    }
    found->columns[found->count].number = number;
    strlcpy(found->columns[found->count].data_class, data_class, NAMEDATALEN);
    ++found->count;
}

// Gives each labelled column of `labelled` to the column of the same name that is being read.
void add_labels_of(Reading& reading, Oid labelled) {
    Relation catalog = table_open(SecLabelRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_seclabel_objoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(labelled));
    ScanKeyInit(&keys[1], Anum_pg_seclabel_classoid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(RelationRelationId));
    SysScanDesc scan = systable_beginscan(catalog, SecLabelObjectIndexId, true, nullptr, 2, keys);
    HeapTuple tuple;
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        bool no_provider, no_label;
        Datum provider = heap_getattr(tuple, Anum_pg_seclabel_provider, RelationGetDescr(catalog), &no_provider);
        Datum label = heap_getattr(tuple, Anum_pg_seclabel_label, RelationGetDescr(catalog), &no_label);
        AttrNumber number =
            static_cast<AttrNumber>(reinterpret_cast<FormData_pg_seclabel*>(GETSTRUCT(tuple))->objsubid);
        if (no_provider || no_label || number <= 0) continue;
        if (strcmp(TextDatumGetCString(provider), kLabelProvider) != 0) continue;
        if (labelled != reading.relation) {
            char* name = get_attname(labelled, number, true);
            number = name != nullptr ? get_attnum(reading.relation, name) : InvalidAttrNumber;
            if (number <= 0) continue;
        }
        add(reading, number, TextDatumGetCString(label));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
}

List* parents_of(Oid relation) {
    List* parents = NIL;
    Relation catalog = table_open(InheritsRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
    SysScanDesc scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, nullptr, 1, &key);
    HeapTuple tuple;
    while (HeapTupleIsValid(tuple = systable_getnext(scan)))
        parents = lappend_oid(parents, reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple))->inhparent);
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return parents;
}

// Every ancestor, nearest first, each once. The list grows while it is walked.
List* ancestors_of(Oid relation) {
    List* ancestors = parents_of(relation);
    for (int i = 0; i < list_length(ancestors); ++i)
        ancestors = list_concat_unique_oid(ancestors, parents_of(list_nth_oid(ancestors, i)));
    return ancestors;
}

void add_inherited(Reading& reading, bool has_children) {
    List* ancestors = ancestors_of(reading.relation);
    ListCell* cell;
    // A column's own label wins over its ancestors'.
    int const own = reading.found->count;
    foreach (cell, ancestors) add_labels_of(reading, lfirst_oid(cell));
    int kept = own;
    for (int i = own; i < reading.found->count; ++i) {
        bool shadowed = false;
        for (int k = 0; k < own; ++k)
            if (reading.found->columns[k].number == reading.found->columns[i].number) shadowed = true;
        if (!shadowed) reading.found->columns[kept++] = reading.found->columns[i];
    }
    reading.found->count = kept;
    if (has_children)
        foreach (cell, find_all_inheritors(reading.relation, NoLock, nullptr))
            if (lfirst_oid(cell) != reading.relation) add_labels_of(reading, lfirst_oid(cell));
    if (ancestors != NIL || has_children) reading.linked = true;
}

struct Drawing {
    Reading* reading;
    AttrNumber column;  // that draws on others
};

void draw(Oid source, AttrNumber source_column, void* context) {
    auto* drawing = static_cast<Drawing*>(context);
    bool const own = source == drawing->reading->relation;
    const ClassifiedColumns* others = own ? nullptr : classified_columns(source);
    int const count = own ? drawing->reading->found->count : others != nullptr ? others->count : 0;
    for (int i = 0; i < count; ++i) {
        // By value, and looked up each time: add() moves what is being read.
        ClassifiedColumn const one = (own ? drawing->reading->found : others)->columns[i];
        if (source_column == 0 || one.number == source_column)
            add(*drawing->reading, drawing->column, one.data_class);
    }
}

void add_generated(Reading& reading, Relation relation) {
    const TupleConstr* constraints = RelationGetDescr(relation)->constr;
    for (int i = 0; i < constraints->num_defval; ++i) {
        AttrNumber const number = constraints->defval[i].adnum;
        if (TupleDescAttr(RelationGetDescr(relation), number - 1)->attgenerated == '\0') continue;
        if (is_classified(reading.found, number)) continue;
        Drawing drawing = {&reading, number};
        visit_own_columns(static_cast<Node*>(stringToNode(constraints->defval[i].adbin)), reading.relation, draw,
                          &drawing);
    }
}

void add_materialized(Reading& reading, Relation relation) {
    reading.linked = true;
    if (relation->rd_rules == nullptr || relation->rd_rules->numLocks != 1) return;
    Query* query = linitial_node(Query, relation->rd_rules->rules[0]->actions);
    for (AttrNumber number = 1; number <= RelationGetNumberOfAttributes(relation); ++number) {
        if (is_classified(reading.found, number)) continue;
        Drawing drawing = {&reading, number};
        visit_sources(query, number, draw, &drawing);
    }
}

// A toast table holds pieces of any column of its owner, whose OID is in its name.
void add_toasted(Reading& reading, const char* name) {
    constexpr AttrNumber kChunkData = 3;
    reading.linked = true;
    unsigned owner = 0;
    if (sscanf(name, "pg_toast_%u", &owner) != 1 || owner == 0) return;
    Drawing drawing = {&reading, kChunkData};
    draw(owner, 0, &drawing);
}

void read_classes(Reading& reading, Form_pg_class form) {
    add_labels_of(reading, reading.relation);
    if (form->relkind == RELKIND_TOASTVALUE) return add_toasted(reading, NameStr(form->relname));
    if (form->relkind == RELKIND_MATVIEW || form->relkind == RELKIND_RELATION ||
        form->relkind == RELKIND_PARTITIONED_TABLE || form->relkind == RELKIND_FOREIGN_TABLE) {
        add_inherited(reading, form->relhassubclass);
        if (form->relkind != RELKIND_MATVIEW && reading.found->count == 0) return;
        Relation relation = relation_open(reading.relation, AccessShareLock);
        if (form->relkind == RELKIND_MATVIEW)
            add_materialized(reading, relation);
        else if (RelationGetDescr(relation)->constr != nullptr)
            add_generated(reading, relation);
        relation_close(relation, NoLock);
    }
}

void make_cache() {
    context_of_entries = AllocSetContextCreate(CacheMemoryContext, "hoopguard labels", ALLOCSET_SMALL_SIZES);
    HASHCTL control = {};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(Entry);
    control.hcxt = context_of_entries;
    entries = hash_create("hoopguard labels", 128, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

bool is_current(const Entry& entry) {
    return !entry.stale && entry.all_seen == all_changes && (!entry.linked || entry.linked_seen == linked_changes);
}

// By column number; what is said of one column stays in the order in which it was found.
void sort(ClassifiedColumns* found) {
    for (int i = 1; i < found->count; ++i) {
        for (int k = i; k > 0 && found->columns[k - 1].number > found->columns[k].number; --k) {
            ClassifiedColumn const moved = found->columns[k];
            found->columns[k] = found->columns[k - 1];
            found->columns[k - 1] = moved;
        }
    }
}

void keep(Entry& entry, const Reading& reading, Form_pg_class form) {
    namestrcpy(&entry.name, NameStr(form->relname));
    char* schema = get_namespace_name(form->relnamespace);
    namestrcpy(&entry.schema, schema != nullptr ? schema : "");
    if (entry.columns != nullptr) pfree(entry.columns);
    entry.columns = nullptr;
    entry.linked = reading.linked;
    if (reading.found->count == 0) return;
    std::size_t const size = size_of(reading.found->count);
    entry.columns = static_cast<ClassifiedColumns*>(MemoryContextAlloc(context_of_entries, size));
    memcpy(entry.columns, reading.found, size);
}

Entry* look_up(Oid relation) {
    if (entries == nullptr) make_cache();
    bool found;
    auto* entry = static_cast<Entry*>(hash_search(entries, &relation, HASH_ENTER, &found));
    if (!found) {
        memset(reinterpret_cast<char*>(entry) + sizeof(Oid), 0, sizeof(Entry) - sizeof(Oid));
        entry->stale = true;
    }
    return entry;
}

}  // namespace

const ClassifiedColumns* classified_columns(Oid relation) {
    if (relation < FirstNormalObjectId) return nullptr;
    Entry* entry = look_up(relation);
    if (is_current(*entry)) return entry->columns;
    check_stack_depth();
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    std::uint64_t const all_before = all_changes;
    std::uint64_t const linked_before = linked_changes;
    Reading reading = {relation, false, 4, nullptr};
    reading.found = static_cast<ClassifiedColumns*>(palloc0(size_of(reading.room)));
    read_classes(reading, form);
    sort(reading.found);
    entry = look_up(relation);
    keep(*entry, reading, form);
    // A change that arrived meanwhile leaves the entry to be read again next time.
    entry->stale = all_before != all_changes || linked_before != linked_changes;
    entry->all_seen = all_before;
    entry->linked_seen = linked_before;
    ReleaseSysCache(tuple);
    return entry->columns;
}

Known known_by_name(const char* schema, const char* relation) noexcept {
    if (entries == nullptr) return Known::kUnknown;
    Known known = Known::kUnknown;
    HASH_SEQ_STATUS status;
    hash_seq_init(&status, entries);
    while (auto* entry = static_cast<Entry*>(hash_seq_search(&status))) {
        if (strcmp(NameStr(entry->name), relation) != 0 || strcmp(NameStr(entry->schema), schema) != 0) continue;
        known = entry->columns != nullptr ? Known::kClassified : Known::kUnclassified;
    }
    return known;
}

bool any_classified_known() noexcept {
    if (entries == nullptr) return false;
    bool any = false;
    HASH_SEQ_STATUS status;
    hash_seq_init(&status, entries);
    while (auto* entry = static_cast<Entry*>(hash_seq_search(&status))) any = any || entry->columns != nullptr;
    return any;
}

void watch_labels() {
    CacheRegisterRelcacheCallback(relation_changed, 0);
}

void invalidate_labels(Oid relation) {
    CacheInvalidateRelcacheByRelid(relation);
    ListCell* cell;
    foreach (cell, ancestors_of(relation)) CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
    foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
        if (lfirst_oid(cell) != relation) CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
}

}  // namespace hoopguard::mask
