// CREATE and ALTER of everything that is not a role, a database or a table's own ALTER.
#include "classify/names_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

template <class Node_>
const Node_& as(Node* node) {
    return *reinterpret_cast<const Node_*>(node);
}

constexpr ClassSet kCreateCode = ClassSet(kDdlCreate) | kCode;
constexpr ClassSet kAlterCode = ClassSet(kDdlAlter) | kCode;
constexpr ClassSet kCreateEgress = ClassSet(kDdlCreate) | kEgress;
constexpr ClassSet kAlterEgress = ClassSet(kDdlAlter) | kEgress;
constexpr ClassSet kCreateReplication = ClassSet(kDdlCreate) | kReplication;
constexpr ClassSet kAlterReplication = ClassSet(kDdlAlter) | kReplication;

void add_new(const RangeVar* range, ClassSet classes, std::string_view kind, FootprintBuilder& out) {
    auto object = name_of_new(range, kind);
    out.add(classes, object.kind, object.name);
}

// A part of a table, by the table's name.
void add_part(const RangeVar* table, ClassSet classes, std::string_view kind, FootprintBuilder& out) {
    out.add(classes, kind, table == nullptr ? std::string() : name_of_range(table, "table").name);
}

void classify_table(const CreateStmt& create, ClassSet classes, std::string_view kind, FootprintBuilder& out) {
    add_new(create.relation, classes, kind, out);
    if (create.partbound == nullptr) return;
    for (int i = 0; i < list_length(create.inhRelations); ++i) {
        auto parent = name_of_range(static_cast<RangeVar*>(list_nth(create.inhRelations, i)), "table");
        out.add(kDdlAlter, parent.kind, parent.name);
    }
}

void classify_label(const SecLabelStmt& label, FootprintBuilder& out) {
    bool const ours = label.provider == nullptr || strcmp(label.provider, "hoopguard") == 0;
    out.add(ours ? ClassSet(kPolicy) : ClassSet(kDdlAlter));
}

// Relations and their parts.
bool classify_relation(Node* node, FootprintBuilder& out) {
    switch (nodeTag(node)) {
        case T_CreateStmt: classify_table(as<CreateStmt>(node), kDdlCreate, "table", out); return true;
        case T_CreateForeignTableStmt:
            classify_table(as<CreateStmt>(node), kCreateEgress, "foreign_table", out);
            return true;
        case T_CreateTableAsStmt: {
            auto const& create = as<CreateTableAsStmt>(node);
            add_new(create.into->rel, kDdlCreate, create.objtype == OBJECT_MATVIEW ? "materialized_view" : "table",
                    out);
            return true;
        }
        case T_ViewStmt: add_new(as<ViewStmt>(node).view, kDdlCreate, "view", out); return true;
        case T_CreateSeqStmt: add_new(as<CreateSeqStmt>(node).sequence, kDdlCreate, "sequence", out); return true;
        case T_AlterSeqStmt: add_part(as<AlterSeqStmt>(node).sequence, kDdlAlter, "sequence", out); return true;
        case T_IndexStmt:
            add_part(as<IndexStmt>(node).relation,
                     as<IndexStmt>(node).concurrent ? ClassSet(kDdlCreate) : ClassSet(kDdlCreate) | kDdlBlocking,
                     "index", out);
            return true;
        case T_RuleStmt: add_part(as<RuleStmt>(node).relation, kDdlCreate, "rule", out); return true;
        case T_CreateTrigStmt:
            add_part(as<CreateTrigStmt>(node).relation, kCreateCode, "trigger", out);
            return true;
        case T_CreatePolicyStmt:
            add_part(as<CreatePolicyStmt>(node).table, kDdlCreate, "policy", out);
            return true;
        case T_AlterPolicyStmt: add_part(as<AlterPolicyStmt>(node).table, kDdlAlter, "policy", out); return true;
        case T_CompositeTypeStmt:
            add_new(as<CompositeTypeStmt>(node).typevar, kDdlCreate, "type", out);
            return true;
        default: return false;
    }
}

// SET clauses of a function: what it sets while it runs.
void classify_settings(const List* options, FootprintBuilder& out) {
    for (int i = 0; i < list_length(options); ++i) {
        auto const* const option = static_cast<DefElem*>(list_nth(options, i));
        if (option->arg == nullptr || !IsA(option->arg, VariableSetStmt)) continue;
        auto const& set = as<VariableSetStmt>(option->arg);
        if (set.name != nullptr && is_protected_setting(set.name)) out.add(kConfig);
    }
}

// What runs code, or leads out of the server.
bool classify_reach(Node* node, FootprintBuilder& out) {
    switch (nodeTag(node)) {
        case T_CreateFunctionStmt: {
            auto const& create = as<CreateFunctionStmt>(node);
            out.add(kCreateCode, create.is_procedure ? "procedure" : "function", name_of_list(create.funcname));
            classify_settings(create.options, out);
            return true;
        }
        case T_AlterFunctionStmt: {
            auto const& alter = as<AlterFunctionStmt>(node);
            out.add(kAlterCode, kind_of(alter.objtype), name_of_list(alter.func->objname));
            classify_settings(alter.actions, out);
            return true;
        }
        case T_CreateEventTrigStmt:
            out.add(kCreateCode, "event_trigger", as<CreateEventTrigStmt>(node).trigname);
            return true;
        case T_AlterEventTrigStmt:
            out.add(kAlterCode, "event_trigger", as<AlterEventTrigStmt>(node).trigname);
            return true;
        case T_CreatePLangStmt: out.add(kCreateCode, "language", as<CreatePLangStmt>(node).plname); return true;
        case T_CreateExtensionStmt:
            out.add(kCreateCode, "extension", as<CreateExtensionStmt>(node).extname);
            return true;
        case T_AlterExtensionStmt:
            out.add(kAlterCode, "extension", as<AlterExtensionStmt>(node).extname);
            return true;
        case T_AlterExtensionContentsStmt:
            out.add(kAlterCode, "extension", as<AlterExtensionContentsStmt>(node).extname);
            return true;
        case T_CreateAmStmt: out.add(kCreateCode, "access_method", as<CreateAmStmt>(node).amname); return true;
        case T_CreateFdwStmt:
            out.add(kCreateEgress, "foreign_data_wrapper", as<CreateFdwStmt>(node).fdwname);
            return true;
        case T_AlterFdwStmt:
            out.add(kAlterEgress, "foreign_data_wrapper", as<AlterFdwStmt>(node).fdwname);
            return true;
        case T_CreateForeignServerStmt:
            out.add(kCreateEgress, "server", as<CreateForeignServerStmt>(node).servername);
            return true;
        case T_AlterForeignServerStmt:
            out.add(kAlterEgress, "server", as<AlterForeignServerStmt>(node).servername);
            return true;
        case T_CreateUserMappingStmt:
            out.add(kCreateEgress, "user_mapping", as<CreateUserMappingStmt>(node).servername);
            return true;
        case T_AlterUserMappingStmt:
            out.add(kAlterEgress, "user_mapping", as<AlterUserMappingStmt>(node).servername);
            return true;
        case T_ImportForeignSchemaStmt:
            out.add(kCreateEgress, "schema", as<ImportForeignSchemaStmt>(node).local_schema);
            return true;
        case T_CreatePublicationStmt:
            out.add(kCreateReplication, "publication", as<CreatePublicationStmt>(node).pubname);
            return true;
        case T_AlterPublicationStmt:
            out.add(kAlterReplication, "publication", as<AlterPublicationStmt>(node).pubname);
            return true;
        case T_CreateSubscriptionStmt:
            out.add(kCreateReplication, "subscription", as<CreateSubscriptionStmt>(node).subname);
            return true;
        case T_AlterSubscriptionStmt:
            out.add(kAlterReplication, "subscription", as<AlterSubscriptionStmt>(node).subname);
            return true;
        default: return false;
    }
}

}  // namespace

bool classify_definition(Node* node, FootprintBuilder& out) {
    if (classify_relation(node, out) || classify_reach(node, out)) return true;
    switch (nodeTag(node)) {
        case T_CreateSchemaStmt: {
            auto const& create = as<CreateSchemaStmt>(node);
            out.add(kDdlCreate, "schema", create.schemaname != nullptr ? create.schemaname : "");
            return true;
        }
        case T_DefineStmt: {
            auto const& define = as<DefineStmt>(node);
            out.add(kDdlCreate, kind_of(define.kind), name_of_list(define.defnames));
            return true;
        }
        case T_CreateDomainStmt:
            out.add(kDdlCreate, "domain", name_of_list(as<CreateDomainStmt>(node).domainname));
            return true;
        case T_AlterDomainStmt: {
            std::string const domain = name_of_list(as<AlterDomainStmt>(node).typeName);
            constexpr char kDropConstraint = 'X';
            if (as<AlterDomainStmt>(node).subtype == kDropConstraint) out.add(kDdlDrop, "constraint", domain);
            out.add(kDdlAlter, "domain", domain);
            return true;
        }
        case T_CreateEnumStmt:
            out.add(kDdlCreate, "type", name_of_list(as<CreateEnumStmt>(node).typeName));
            return true;
        case T_AlterEnumStmt:
            out.add(kDdlAlter, "type", name_of_list(as<AlterEnumStmt>(node).typeName));
            return true;
        case T_AlterTypeStmt:
            out.add(kDdlAlter, "type", name_of_list(as<AlterTypeStmt>(node).typeName));
            return true;
        case T_CreateRangeStmt:
            out.add(kDdlCreate, "type", name_of_list(as<CreateRangeStmt>(node).typeName));
            return true;
        case T_CreateStatsStmt:
            out.add(kDdlCreate, "statistics", name_of_list(as<CreateStatsStmt>(node).defnames));
            return true;
        case T_CreateOpClassStmt:
            out.add(kDdlCreate, "operator_class", name_of_list(as<CreateOpClassStmt>(node).opclassname));
            return true;
        case T_CreateOpFamilyStmt:
            out.add(kDdlCreate, "operator_family", name_of_list(as<CreateOpFamilyStmt>(node).opfamilyname));
            return true;
        case T_CreateConversionStmt:
            out.add(kDdlCreate, "conversion", name_of_list(as<CreateConversionStmt>(node).conversion_name));
            return true;
        case T_CreateCastStmt: out.add(kDdlCreate, "cast", {}); return true;
        case T_CreateTransformStmt: out.add(kDdlCreate, "transform", {}); return true;
        case T_AlterObjectDependsStmt: out.add(kDdlAlter); return true;
        case T_SecLabelStmt: classify_label(as<SecLabelStmt>(node), out); return true;
        case T_CommentStmt: out.add(kDdlAlter); return true;
        default: return false;
    }
}

}  // namespace hoopguard::classify
