// COPY of a table, as a query over its own rows and the columns that COPY takes.
#include "mask/copy_pg.hpp"

#include "mask/in_force_pg.hpp"
#include "pg/settings.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace hoopguard::mask {

namespace {

// The names of the columns that COPY takes: those given, or all that are stored as they were given.
List* copied_columns(const CopyStmt* copy, Relation relation) {
    if (copy->attlist != NIL) return pg::copy_tree(copy->attlist);
    List* names = NIL;
    for (int i = 0; i < RelationGetNumberOfAttributes(relation); ++i) {
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);
        if (!attribute->attisdropped && attribute->attgenerated == '\0')
            names = lappend(names, makeString(pstrdup(NameStr(attribute->attname))));
    }
    return names;
}

bool takes_masked(List* names, const MaskedColumns* masked) {
    ListCell* cell;
    foreach (cell, names) {
        AttrNumber const number = get_attnum(masked->relation, strVal(lfirst(cell)));
        if (number > 0 && masked->find(number) != nullptr) return true;
    }
    return false;
}

Node* query_of(List* names, Relation relation) {
    SelectStmt* select = makeNode(SelectStmt);
    ListCell* cell;
    foreach (cell, names) {
        ColumnRef* column = makeNode(ColumnRef);
        column->fields = list_make1(lfirst(cell));
        column->location = -1;
        ResTarget* target = makeNode(ResTarget);
        target->val = pg::as_node(column);
        target->location = -1;
        select->targetList = lappend(select->targetList, target);
    }
    RangeVar* table = makeRangeVar(get_namespace_name(RelationGetNamespace(relation)),
                                   pstrdup(RelationGetRelationName(relation)), -1);
    table->inh = false;
    select->fromClause = list_make1(table);
    return pg::as_node(select);
}

}  // namespace

PlannedStmt* copy_as_query(PlannedStmt* statement) {
    if (!any_in_force() || !IsA(statement->utilityStmt, CopyStmt)) return statement;
    auto* copy = castNode(CopyStmt, statement->utilityStmt);
    if (copy->is_from || copy->relation == nullptr) return statement;
    Oid const table = RangeVarGetRelid(copy->relation, AccessShareLock, true);
    const MaskedColumns* masked = OidIsValid(table) ? masked_columns(table) : nullptr;
    char const kind = masked != nullptr ? get_rel_relkind(table) : '\0';
    if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW) return statement;
    Relation relation = relation_open(table, NoLock);
    List* names = copied_columns(copy, relation);
    if (takes_masked(names, masked)) {
        if (!pg::settings.masked_dump)
            ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                            errmsg("table \"%s\" cannot be copied whole: it has columns that are masked for you",
                                   RelationGetRelationName(relation)),
                            errdetail("A dump or backup of masked values would not restore the real ones."),
                            errhint("COPY (SELECT ...) TO gives masked values; an administrator can allow masked "
                                    "dumps with hoopguard.masked_dump.")));
        statement = pg::copy_tree(statement);
        copy = castNode(CopyStmt, statement->utilityStmt);
        copy->query = query_of(names, relation);
        copy->relation = nullptr;
        copy->attlist = NIL;
    }
    relation_close(relation, NoLock);
    return statement;
}

}  // namespace hoopguard::mask
