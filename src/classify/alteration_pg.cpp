// Drops, ALTER TABLE, renaming and moving. What a drop takes with it (CASCADE, DROP OWNED) is judged object by
// object where it happens.
#include "classify/names_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/parsenodes.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

template <class Node_>
const Node_& as(Node* node) {
    return *reinterpret_cast<const Node_*>(node);
}

bool is_relation_type(ObjectType type) {
    switch (type) {
        case OBJECT_TABLE:
        case OBJECT_VIEW:
        case OBJECT_MATVIEW:
        case OBJECT_FOREIGN_TABLE:
        case OBJECT_SEQUENCE:
        case OBJECT_INDEX: return true;
        default: return false;
    }
}

// Triggers, rules and policies are named as table and part: the table is what a rule speaks of.
bool is_part_of_table(ObjectType type) {
    return type == OBJECT_TRIGGER || type == OBJECT_RULE || type == OBJECT_POLICY || type == OBJECT_TABCONSTRAINT;
}

RangeVar* range_of(List* names) {
    return pg::call([names] { return makeRangeVarFromNameList(names); });
}

std::string schema_of(const std::string& name) {
    return name.substr(0, name.find('.') + 1);
}

// Classes that dropping or changing this kind of object has beyond ddl.
ClassSet beyond_ddl(ObjectType type) {
    switch (type) {
        case OBJECT_PUBLICATION:
        case OBJECT_SUBSCRIPTION: return kReplication;
        case OBJECT_FDW:
        case OBJECT_FOREIGN_SERVER:
        case OBJECT_USER_MAPPING: return kEgress;
        case OBJECT_DATABASE:
        case OBJECT_TABLESPACE: return kDatabase;
        case OBJECT_ROLE: return kRole;
        default: return {};
    }
}

NamedObject name_of_target(ObjectType type, Node* object) {
    switch (nodeTag(object)) {
        case T_RangeVar: return name_of_range(reinterpret_cast<RangeVar*>(object), kind_of(type));
        case T_String: return {kind_of(type), strVal(object)};
        case T_ObjectWithArgs:
            return {kind_of(type), name_of_list(reinterpret_cast<ObjectWithArgs*>(object)->objname)};
        case T_TypeName: return {kind_of(type), name_of_list(reinterpret_cast<TypeName*>(object)->names)};
        case T_List: break;
        default: return {kind_of(type), {}};
    }
    auto* const names = reinterpret_cast<List*>(object);
    if (is_relation_type(type)) return name_of_range(range_of(names), kind_of(type));
    if (is_part_of_table(type) && list_length(names) > 1) {
        auto* const table = pg::call([names] { return list_truncate(list_copy(names), list_length(names) - 1); });
        return {kind_of(type), name_of_range(range_of(table), "table").name};
    }
    return {kind_of(type), name_of_list(names)};
}

void classify_drop(const DropStmt& drop, FootprintBuilder& out) {
    auto const classes = ClassSet(kDdlDrop) | beyond_ddl(drop.removeType);
    for (int i = 0; i < list_length(drop.objects); ++i) {
        auto object = name_of_target(drop.removeType, static_cast<Node*>(list_nth(drop.objects, i)));
        out.add(classes, object.kind, object.name);
    }
}

// A default that is no constant makes PostgreSQL write every row anew.
bool rewrites_for(const Node* definition) {
    if (definition == nullptr || !IsA(definition, ColumnDef)) return false;
    auto const* const column = reinterpret_cast<const ColumnDef*>(definition);
    for (int i = 0; i < list_length(column->constraints); ++i) {
        auto const* const constraint = static_cast<Constraint*>(list_nth(column->constraints, i));
        bool const computed = constraint->contype == CONSTR_DEFAULT && constraint->raw_expr != nullptr &&
                              !IsA(constraint->raw_expr, A_Const) && !IsA(constraint->raw_expr, TypeCast);
        if (computed || constraint->contype == CONSTR_IDENTITY || constraint->contype == CONSTR_GENERATED)
            return true;
    }
    return false;
}

bool builds_index(const Node* definition) {
    if (definition == nullptr || !IsA(definition, Constraint)) return false;
    auto const type = reinterpret_cast<const Constraint*>(definition)->contype;
    return type == CONSTR_PRIMARY || type == CONSTR_UNIQUE || type == CONSTR_EXCLUSION;
}

void classify_partition(const AlterTableCmd& command, ClassSet classes, FootprintBuilder& out) {
    auto const* const partition = reinterpret_cast<PartitionCmd*>(command.def);
    if (partition == nullptr || !IsA(command.def, PartitionCmd) || partition->name == nullptr) return;
    auto object = name_of_range(partition->name, "table");
    out.add(classes, object.kind, object.name);
}

void classify_command(const AlterTableCmd& command, const NamedObject& table, FootprintBuilder& out) {
    auto const add = [&](ClassSet classes, std::string_view kind) { out.add(classes, kind, table.name); };
    switch (command.subtype) {
        case AT_DropColumn: return add(kDdlDrop, "column");
        case AT_DropConstraint: return add(kDdlDrop, "constraint");
        case AT_ChangeOwner: return add(kGrant, table.kind);
        case AT_AlterColumnType:
        case AT_SetLogged:
        case AT_SetUnLogged:
        case AT_SetTableSpace:
        case AT_SetAccessMethod: return add(kDdlBlocking, table.kind);
        case AT_AddColumn:
            if (rewrites_for(command.def)) add(kDdlBlocking, table.kind);
            return;
        case AT_AddConstraint:
            if (builds_index(command.def)) add(kDdlBlocking, table.kind);
            return;
        // The rows leave the table that a rule may speak of: from there they are dropped.
        case AT_DetachPartition:
            add(kDdlDrop, table.kind);
            return classify_partition(command, ClassSet(kDdlAlter) | kDdlDrop, out);
        case AT_AttachPartition: return classify_partition(command, kDdlAlter, out);
        default: return;
    }
}

void classify_alter_table(const AlterTableStmt& alter, FootprintBuilder& out) {
    auto const table = name_of_range(alter.relation, kind_of(alter.objtype));
    out.add(kDdlAlter, table.kind, table.name);
    for (int i = 0; i < list_length(alter.cmds); ++i)
        classify_command(*static_cast<AlterTableCmd*>(list_nth(alter.cmds, i)), table, out);
}

void classify_rename(const RenameStmt& rename, FootprintBuilder& out) {
    auto const shared = beyond_ddl(rename.renameType);
    if (rename.renameType == OBJECT_ROLE || rename.renameType == OBJECT_DATABASE ||
        rename.renameType == OBJECT_TABLESPACE) {
        out.add(shared, kind_of(rename.renameType), rename.subname);
        return out.add(shared, kind_of(rename.renameType), rename.newname);
    }
    auto const classes = ClassSet(kDdlAlter) | shared;
    if (rename.relation != nullptr) {
        auto object = name_of_range(rename.relation, kind_of(rename.renameType));
        // Under its new name as well: a rule on that name must see who takes it.
        if (is_relation_type(rename.renameType))
            out.add(classes, object.kind, schema_of(object.name) + rename.newname);
        return out.add(classes, object.kind, object.name);
    }
    if (rename.object == nullptr)
        return out.add(classes, kind_of(rename.renameType), rename.subname ? rename.subname : "");
    auto object = name_of_target(rename.renameType, rename.object);
    out.add(classes, object.kind, object.name);
}

void classify_move(const AlterObjectSchemaStmt& move, FootprintBuilder& out) {
    auto object = move.relation != nullptr ? name_of_range(move.relation, kind_of(move.objectType))
                                           : name_of_target(move.objectType, move.object);
    auto const dot = object.name.rfind('.');
    auto const own = dot == std::string::npos ? object.name : object.name.substr(dot + 1);
    out.add(kDdlAlter, object.kind, std::string(move.newschema) + "." + own);
    out.add(kDdlAlter, object.kind, object.name);
}

void classify_owner(const AlterOwnerStmt& alter, FootprintBuilder& out) {
    auto object = alter.relation != nullptr ? name_of_range(alter.relation, kind_of(alter.objectType))
                                            : name_of_target(alter.objectType, alter.object);
    auto const kind_classes = beyond_ddl(alter.objectType);
    auto const ddl = kind_classes.meets(ClassSet(kDatabase)) ? ClassSet() : ClassSet(kDdlAlter);
    out.add(ClassSet(kGrant) | ddl | kind_classes, object.kind, object.name);
}

}  // namespace

bool classify_alteration(Node* node, FootprintBuilder& out) {
    switch (nodeTag(node)) {
        case T_DropStmt: classify_drop(as<DropStmt>(node), out); return true;
        case T_DropOwnedStmt: out.add(ClassSet(kDdlDrop) | kGrant); return true;
        case T_DropUserMappingStmt:
            out.add(ClassSet(kDdlDrop) | kEgress, "user_mapping", as<DropUserMappingStmt>(node).servername);
            return true;
        case T_DropSubscriptionStmt:
            out.add(ClassSet(kDdlDrop) | kReplication, "subscription", as<DropSubscriptionStmt>(node).subname);
            return true;
        case T_AlterTableStmt: classify_alter_table(as<AlterTableStmt>(node), out); return true;
        case T_AlterTableMoveAllStmt: out.add(ClassSet(kDdlAlter) | kDdlBlocking); return true;
        case T_RenameStmt: classify_rename(as<RenameStmt>(node), out); return true;
        case T_AlterObjectSchemaStmt: classify_move(as<AlterObjectSchemaStmt>(node), out); return true;
        case T_AlterOwnerStmt: classify_owner(as<AlterOwnerStmt>(node), out); return true;
        default: return false;
    }
}

}  // namespace hoopguard::classify
