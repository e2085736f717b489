// The cache of classified columns. An entry is trusted while no invalidation has arrived since it was read; an
// entry that was read from more than its own relation goes with any relation's invalidation. Memory of an entry is
// freed only when it is read again, so that an invalidation never pulls it away from a reader.
#include "mask/labels_pg.hpp"

#include "mask/class_reading_pg.hpp"

#include <cstdint>

extern "C" {
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_inherits.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
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
// Whether there were labels, and the sum of the counters when that was looked at; both only grow.
bool any_label = false;
std::uint64_t looked_at = 0;

void relation_changed(Datum, Oid relation) noexcept {
    if (!OidIsValid(relation)) {
        ++all_changes;
        return;
    }
    if (relation < FirstNormalObjectId) return;
    ++linked_changes;
    if (entries == nullptr) return;
    auto* entry = static_cast<Entry*>(hash_search(entries, &relation, HASH_FIND, nullptr));
    if (entry == nullptr) return;
    entry->stale = true;
    // So that dropped temporary tables leave nothing behind.
    if (entry->columns == nullptr) hash_search(entries, &relation, HASH_REMOVE, nullptr);
}

// Policies and the journal name tables with their schemas; renaming one changes no relation.
void schema_changed(Datum, int, uint32) noexcept {
    ++all_changes;
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

void keep(Entry& entry, const Reading& reading, Form_pg_class form) {
    namestrcpy(&entry.name, NameStr(form->relname));
    char* schema = get_namespace_name(form->relnamespace);
    namestrcpy(&entry.schema, schema != nullptr ? schema : "");
    if (entry.columns != nullptr) pfree(entry.columns);
    entry.columns = nullptr;
    entry.linked = reading.linked;
    if (reading.found->count == 0) return;
    std::size_t const size = size_of_columns(reading.found->count);
    entry.columns = static_cast<ClassifiedColumns*>(MemoryContextAlloc(context_of_entries, size));
    memcpy(entry.columns, reading.found, size);
}

[[gnu::hot]] Entry* look_up(Oid relation) {
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

[[gnu::hot]] const ClassifiedColumns* classified_columns(Oid relation) {
    if (relation < FirstNormalObjectId) return nullptr;
    Entry* entry = look_up(relation);
    if (is_current(*entry)) return entry->columns;
    check_stack_depth();
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    std::uint64_t const all_before = all_changes;
    std::uint64_t const linked_before = linked_changes;
    Reading const reading = read_classes(relation, form);
    entry = look_up(relation);
    keep(*entry, reading, form);
    // A change that arrived meanwhile leaves the entry to be read again next time.
    entry->stale = all_before != all_changes || linked_before != linked_changes;
    entry->all_seen = all_before;
    entry->linked_seen = linked_before;
    ReleaseSysCache(tuple);
    return entry->columns;
}

[[gnu::hot]] bool selects_classified(Oid relation, const Bitmapset* selected) {
    if (!OidIsValid(relation) || !database_has_classified()) return false;
    auto const* const classified = classified_columns(relation);
    if (classified == nullptr || classified->count == 0) return false;
    if (bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, selected)) return true;
    for (int i = 0; i < classified->count; ++i)
        if (bms_is_member(classified->columns[i].number - FirstLowInvalidHeapAttributeNumber, selected))
            return true;
    return false;
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

[[gnu::hot]] bool database_has_classified() {
    if (looked_at == all_changes + linked_changes) return any_label;
    std::uint64_t const seen = all_changes + linked_changes;
    any_label = any_label_of_columns();
    looked_at = seen;
    return any_label;
}

bool may_have_classified() noexcept {
    return looked_at == 0 || any_label || any_classified_known();
}

std::uint64_t label_changes() noexcept {
    return all_changes + linked_changes;
}

void watch_labels() {
    CacheRegisterRelcacheCallback(relation_changed, 0);
    CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, 0);
}

void invalidate_labels(Oid relation) {
    CacheInvalidateRelcacheByRelid(relation);
    ListCell* cell;
    foreach (cell, ancestors_of(relation)) CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
    foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
        if (lfirst_oid(cell) != relation) CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
}

}  // namespace hoopguard::mask
