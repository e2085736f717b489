// Where a column's class comes from, in order: its own label, its ancestors', its children's, and what its value
// is computed from.
#include "mask/class_reading_pg.hpp"

#include "mask/lineage_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_seclabel.h"
#include "rewrite/prs2lock.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

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
        found = reading.found = static_cast<ClassifiedColumns*>(repalloc(found, size_of_columns(reading.room)));
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

struct TableColumns {
    Oid table;
    Drawing* drawing;
};

bool draw(Oid source, AttrNumber source_column, void* context) {
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
    return false;
}

// Columns that are an expression over the relation's own, or (an index) over its table's.
bool walk_columns(Node* node, void* context) {
    auto* columns = static_cast<TableColumns*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Var) && castNode(Var, node)->varattno >= 0)
        draw(columns->table, castNode(Var, node)->varattno, columns->drawing);
    return pg::walk_expression(node, walk_columns, context);
}

void draw_on_columns(Reading& reading, AttrNumber column, Node* expression, Oid table) {
    Drawing drawing = {&reading, column};
    TableColumns columns = {table, &drawing};
    walk_columns(expression, &columns);
}

void add_generated(Reading& reading, Relation relation) {
    const TupleConstr* constraints = RelationGetDescr(relation)->constr;
    for (int i = 0; i < constraints->num_defval; ++i) {
        AttrNumber const number = constraints->defval[i].adnum;
        if (TupleDescAttr(RelationGetDescr(relation), number - 1)->attgenerated == '\0') continue;
        if (is_classified(reading.found, number)) continue;
        draw_on_columns(reading, number, static_cast<Node*>(stringToNode(constraints->defval[i].adbin)),
                        reading.relation);
    }
}

void add_materialized(Reading& reading, Relation relation) {
    reading.linked = true;
    if (relation->rd_rules == nullptr || relation->rd_rules->numLocks != 1) return;
    Query* query = linitial_node(Query, relation->rd_rules->rules[0]->actions);
    for (AttrNumber number = 1; number <= RelationGetNumberOfAttributes(relation); ++number) {
        if (is_classified(reading.found, number)) continue;
        Drawing drawing = {&reading, number};
        any_source_of_output(query, number, nullptr, {draw, nullptr, &drawing});
    }
}

// Nobody reads an index, but its statistics hold what its expressions give.
void add_indexed(Reading& reading) {
    reading.linked = true;
    Relation index = index_open(reading.relation, AccessShareLock);
    List* expressions = RelationGetIndexExpressions(index);
    ListCell* expression = list_head(expressions);
    for (int i = 0; i < IndexRelationGetNumberOfAttributes(index); ++i) {
        AttrNumber const column = static_cast<AttrNumber>(i + 1);
        AttrNumber const key = index->rd_index->indkey.values[i];
        Drawing drawing = {&reading, column};
        if (key > 0) draw(index->rd_index->indrelid, key, &drawing);
        if (key != 0 || expression == nullptr) continue;
        draw_on_columns(reading, column, static_cast<Node*>(lfirst(expression)), index->rd_index->indrelid);
        expression = lnext(expressions, expression);
    }
    index_close(index, NoLock);
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

void read(Reading& reading, Form_pg_class form) {
    add_labels_of(reading, reading.relation);
    if (form->relkind == RELKIND_TOASTVALUE) return add_toasted(reading, NameStr(form->relname));
    if (form->relkind == RELKIND_INDEX || form->relkind == RELKIND_PARTITIONED_INDEX) return add_indexed(reading);
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

}  // namespace

// Every ancestor, nearest first, each once. The list grows while it is walked.
List* ancestors_of(Oid relation) {
    List* ancestors = parents_of(relation);
    for (int i = 0; i < list_length(ancestors); ++i)
        ancestors = list_concat_unique_oid(ancestors, parents_of(list_nth_oid(ancestors, i)));
    return ancestors;
}

bool any_label_of_columns() {
    Relation catalog = table_open(SecLabelRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
    bool any = false;
    HeapTuple tuple;
    while (!any && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        auto const* const form = reinterpret_cast<FormData_pg_seclabel*>(GETSTRUCT(tuple));
        bool no_provider;
        Datum provider = heap_getattr(tuple, Anum_pg_seclabel_provider, RelationGetDescr(catalog), &no_provider);
        any = form->classoid == RelationRelationId && form->objsubid > 0 && !no_provider &&
              strcmp(TextDatumGetCString(provider), kLabelProvider) == 0;
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return any;
}

[[gnu::noinline]] Reading read_classes(Oid relation, Form_pg_class form) {
    Reading reading = {relation, false, 4, nullptr};
    reading.found = static_cast<ClassifiedColumns*>(palloc0(size_of_columns(reading.room)));
    read(reading, form);
    sort(reading.found);
    return reading;
}

}  // namespace hoopguard::mask
