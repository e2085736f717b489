// Utility statements by kind.
#include "mask/utility_rules_pg.hpp"

#include "mask/in_force_pg.hpp"
#include "mask/label_rules_pg.hpp"
#include "mask/labels_pg.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

namespace {

void refuse_on(const RangeVar* name, const char* what) {
    if (name == nullptr) return;
    Oid const relation = RangeVarGetRelid(name, NoLock, true);
    if (!OidIsValid(relation) || masked_columns(relation) == nullptr) return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("%s is not allowed on \"%s\": it has columns that are masked for you", what, name->relname),
             errdetail("What it runs or checks would meet the real values.")));
}

void refuse_references(List* elements) {
    ListCell* cell;
    foreach (cell, elements) {
        auto* element = static_cast<Node*>(lfirst(cell));
        if (element == nullptr) continue;
        if (IsA(element, Constraint)) refuse_on(castNode(Constraint, element)->pktable, "a foreign key");
        if (IsA(element, ColumnDef)) refuse_references(castNode(ColumnDef, element)->constraints);
    }
}

void check_alter(const AlterTableStmt* statement) {
    refuse_on(statement->relation, "ALTER TABLE");
    ListCell* cell;
    foreach (cell, statement->cmds) {
        Node* definition = lfirst_node(AlterTableCmd, cell)->def;
        if (definition == nullptr) continue;
        refuse_references(list_make1(definition));
        // A table that comes below or above one with masked columns.
        if (IsA(definition, PartitionCmd)) refuse_on(castNode(PartitionCmd, definition)->name, "ATTACH or DETACH");
        if (IsA(definition, RangeVar)) refuse_on(castNode(RangeVar, definition), "INHERIT");
    }
}

void check_statistics(const CreateStatsStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->relations)
        if (IsA(lfirst(cell), RangeVar)) refuse_on(lfirst_node(RangeVar, cell), "CREATE STATISTICS");
}

[[noreturn]] void refuse_storage(const char* what) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("%s is not allowed for you", what),
                    errdetail("Columns are masked for you; it would give real values, or a way to them.")));
}

// Server files and programs, whatever pg_read_server_files and its like allow.
void check_copy(const CopyStmt* statement) {
    if (statement->is_program) refuse_storage("COPY with a program");
    if (statement->filename != nullptr) refuse_storage("COPY with a server file");
}

void check_domain() {
    if (!any_label()) return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("ALTER DOMAIN is not allowed for you in a database with classified columns"),
                    errdetail("A constraint would be checked against real values.")));
}

}  // namespace

void check_utility(Node* statement) {
    if (!any_in_force()) return;
    switch (nodeTag(statement)) {
        case T_AlterTableStmt: return check_alter(reinterpret_cast<AlterTableStmt*>(statement));
        case T_CreateStmt: return refuse_references(reinterpret_cast<CreateStmt*>(statement)->tableElts);
        case T_CreateStatsStmt: return check_statistics(reinterpret_cast<CreateStatsStmt*>(statement));
        case T_AlterDomainStmt: return check_domain();
        case T_CopyStmt: return check_copy(reinterpret_cast<CopyStmt*>(statement));
        case T_CreatePublicationStmt: refuse_storage("CREATE PUBLICATION");
        case T_AlterPublicationStmt: refuse_storage("ALTER PUBLICATION");
        case T_CreateSubscriptionStmt: refuse_storage("CREATE SUBSCRIPTION");
        case T_RenameStmt: return refuse_on(reinterpret_cast<RenameStmt*>(statement)->relation, "RENAME");
        case T_AlterObjectSchemaStmt:
            return refuse_on(reinterpret_cast<AlterObjectSchemaStmt*>(statement)->relation, "SET SCHEMA");
        case T_IndexStmt: return refuse_on(reinterpret_cast<IndexStmt*>(statement)->relation, "CREATE INDEX");
        case T_CreateTrigStmt:
            return refuse_on(reinterpret_cast<CreateTrigStmt*>(statement)->relation, "CREATE TRIGGER");
        case T_RuleStmt: return refuse_on(reinterpret_cast<RuleStmt*>(statement)->relation, "CREATE RULE");
        case T_CreatePolicyStmt:
            return refuse_on(reinterpret_cast<CreatePolicyStmt*>(statement)->table, "CREATE POLICY");
        case T_AlterPolicyStmt:
            return refuse_on(reinterpret_cast<AlterPolicyStmt*>(statement)->table, "ALTER POLICY");
        default: return;
    }
}

bool label_without_ownership(Node* statement) {
    if (!IsA(statement, SecLabelStmt)) return false;
    auto* label = castNode(SecLabelStmt, statement);
    if (label->provider == nullptr || strcmp(label->provider, kLabelProvider) != 0) return false;
    if (label->objtype != OBJECT_COLUMN) return false;
    Relation relation = nullptr;
    ObjectAddress const column =
        get_object_address(label->objtype, label->object, &relation, ShareUpdateExclusiveLock, false);
    bool const owner = pg::owns_relation(column.objectId, GetUserId());
    if (!owner) set_label(&column, label->label);
    if (relation != nullptr) relation_close(relation, NoLock);
    return !owner;
}

}  // namespace hoopguard::mask
