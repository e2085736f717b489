// Utility statements that act on roles, databases, settings, data and the session.
#include "classify/utility_pg.hpp"

#include "classify/names_pg.hpp"
#include "classify/sensitive_pg.hpp"
#include "pg/boundary.hpp"

#include <algorithm>
#include <array>

extern "C" {
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "utils/guc_tables.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

template <class Node_>
const Node_& as(Node* node) {
    return *reinterpret_cast<const Node_*>(node);
}

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

std::string role_name(const RoleSpec* role) {
    if (role == nullptr) return {};
    if (role->rolename != nullptr) return role->rolename;
    if (role->roletype == ROLESPEC_PUBLIC) return "public";
    auto const* const name = pg::call([role] {
        return GetUserNameFromId(role->roletype == ROLESPEC_SESSION_USER ? GetSessionUserId() : GetUserId(), true);
    });
    return text_or_empty(name);
}

// Whether an option list turns `name` on.
bool has_option(const List* options, const char* name) {
    for (int i = 0; i < list_length(options); ++i) {
        auto* const option = static_cast<DefElem*>(list_nth(options, i));
        if (strcmp(option->defname, name) == 0 && pg::call([option] { return defGetBoolean(option); }))
            return true;
    }
    return false;
}

void add_relations(const List* ranges, ClassSet classes, FootprintBuilder& out, double rows = 0) {
    for (int i = 0; i < list_length(ranges); ++i) {
        auto object = name_of_range(static_cast<RangeVar*>(list_nth(ranges, i)), "table");
        out.add(classes, object.kind, object.name, false, InvalidOid, rows);
    }
}

// Rows of a whole table, as far as it has been counted. They are sent before anyone can count them again: what is
// not known is taken for too many.
double rows_of(Oid relation) {
    if (!OidIsValid(relation)) return 0;
    float4 const rows = pg::call([relation] {
        HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
        if (!HeapTupleIsValid(tuple)) return float4{0};
        float4 const counted = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
        ReleaseSysCache(tuple);
        return counted;
    });
    return rows < 0 ? kAllRows : static_cast<double>(rows);
}

// The columns that are named, or all.
ClassSet sensitivity_of_copy(const CopyStmt& copy, Oid relation) {
    if (!OidIsValid(relation)) return {};
    bool const classified = pg::call([&copy, relation] {
        if (copy.attlist == NIL)
            return selects_classified(relation, bms_make_singleton(0 - FirstLowInvalidHeapAttributeNumber));
        Bitmapset* columns = nullptr;
        for (int i = 0; i < list_length(copy.attlist); ++i) {
            AttrNumber const column = get_attnum(relation, strVal(list_nth(copy.attlist, i)));
            if (column != InvalidAttrNumber)
                columns = bms_add_member(columns, column - FirstLowInvalidHeapAttributeNumber);
        }
        return selects_classified(relation, columns);
    });
    return classified ? ClassSet(kReadSensitive) : ClassSet();
}

void classify_copy(const CopyStmt& copy, FootprintBuilder& out) {
    if (copy.filename != nullptr || copy.is_program) out.add(kEgress);
    if (copy.relation == nullptr) return;
    auto object = name_of_range(copy.relation, "table");
    if (copy.is_from) return out.add(kWriteInsert, object.kind, object.name);
    Oid const relation = find_relation(copy.relation);
    out.expect_read(rows_of(relation));
    out.add(ClassSet(kRead) | sensitivity_of_copy(copy, relation), object.kind, object.name);
}

void classify_setting(const VariableSetStmt& set, FootprintBuilder& out) {
    if (set.kind == VAR_RESET_ALL) return;
    auto const* const name = set.name;
    if (name == nullptr) return;
    if (pg_strcasecmp(name, "role") == 0 || pg_strcasecmp(name, "session_authorization") == 0)
        out.add(kSession);
    else if (is_protected_setting(name))
        out.add(kConfig);
}

void classify_stored_setting(const VariableSetStmt* set, FootprintBuilder& out) {
    if (set != nullptr && set->name != nullptr && is_protected_setting(set->name)) out.add(kConfig);
}

void classify_grant(const GrantStmt& grant, FootprintBuilder& out) {
    out.add(kGrant);
    if (grant.targtype != ACL_TARGET_OBJECT) {
        for (int i = 0; i < list_length(grant.objects); ++i)
            out.add(kGrant, "schema", strVal(list_nth(grant.objects, i)));
        return;
    }
    for (int i = 0; i < list_length(grant.objects); ++i) {
        auto* const node = static_cast<Node*>(list_nth(grant.objects, i));
        if (IsA(node, RangeVar)) {
            auto object = name_of_range(reinterpret_cast<RangeVar*>(node), kind_of(grant.objtype));
            out.add(kGrant, object.kind, object.name);
        } else if (IsA(node, String)) {
            out.add(kGrant, kind_of(grant.objtype), strVal(node));
        } else if (IsA(node, ObjectWithArgs)) {
            out.add(kGrant, kind_of(grant.objtype),
                    name_of_list(reinterpret_cast<ObjectWithArgs*>(node)->objname));
        } else if (IsA(node, List)) {
            out.add(kGrant, kind_of(grant.objtype), name_of_list(reinterpret_cast<List*>(node)));
        }
    }
}

void classify_role_grant(const GrantRoleStmt& grant, FootprintBuilder& out) {
    for (int i = 0; i < list_length(grant.granted_roles); ++i) {
        auto const* const role = static_cast<AccessPriv*>(list_nth(grant.granted_roles, i));
        out.add(ClassSet(kGrant) | kRole, "role", text_or_empty(role->priv_name));
    }
}

// CREATE, ALTER and DROP of roles, databases and tablespaces; false when the node is none of them.
bool classify_shared_object(Node* node, FootprintBuilder& out) {
    switch (nodeTag(node)) {
        case T_CreateRoleStmt: out.add(kRole, "role", text_or_empty(as<CreateRoleStmt>(node).role)); return true;
        case T_AlterRoleStmt: out.add(kRole, "role", role_name(as<AlterRoleStmt>(node).role)); return true;
        case T_AlterRoleSetStmt:
            out.add(kRole, "role", role_name(as<AlterRoleSetStmt>(node).role));
            classify_stored_setting(as<AlterRoleSetStmt>(node).setstmt, out);
            return true;
        case T_DropRoleStmt:
            for (int i = 0; i < list_length(as<DropRoleStmt>(node).roles); ++i)
                out.add(kRole, "role",
                        role_name(static_cast<RoleSpec*>(list_nth(as<DropRoleStmt>(node).roles, i))));
            return true;
        case T_CreatedbStmt:
            out.add(kDatabase, "database", text_or_empty(as<CreatedbStmt>(node).dbname));
            return true;
        case T_DropdbStmt:
            out.add(ClassSet(kDatabase) | kDdlDrop, "database", text_or_empty(as<DropdbStmt>(node).dbname));
            return true;
        case T_AlterDatabaseStmt:
            out.add(kDatabase, "database", text_or_empty(as<AlterDatabaseStmt>(node).dbname));
            return true;
        case T_AlterDatabaseRefreshCollStmt:
            out.add(kDatabase, "database", text_or_empty(as<AlterDatabaseRefreshCollStmt>(node).dbname));
            return true;
        case T_AlterDatabaseSetStmt:
            out.add(kDatabase, "database", text_or_empty(as<AlterDatabaseSetStmt>(node).dbname));
            classify_stored_setting(as<AlterDatabaseSetStmt>(node).setstmt, out);
            return true;
        case T_CreateTableSpaceStmt:
            out.add(kDatabase, "tablespace", text_or_empty(as<CreateTableSpaceStmt>(node).tablespacename));
            return true;
        case T_DropTableSpaceStmt:
            out.add(ClassSet(kDatabase) | kDdlDrop, "tablespace",
                    text_or_empty(as<DropTableSpaceStmt>(node).tablespacename));
            return true;
        case T_AlterTableSpaceOptionsStmt:
            out.add(kDatabase, "tablespace", text_or_empty(as<AlterTableSpaceOptionsStmt>(node).tablespacename));
            return true;
        default: return false;
    }
}

void classify_reindex(const ReindexStmt& reindex, FootprintBuilder& out) {
    ClassSet const classes = has_option(reindex.params, "concurrently") ? ClassSet(kMaintenance)
                                                                        : ClassSet(kMaintenance) | kDdlBlocking;
    out.add(classes);
    if (reindex.relation == nullptr) return;
    auto object = name_of_range(reindex.relation, "index");
    out.add(classes, object.kind, object.name);
}

void classify_vacuum(const VacuumStmt& vacuum, FootprintBuilder& out) {
    if (!vacuum.is_vacuumcmd || !has_option(vacuum.options, "full")) return;
    constexpr ClassSet kClasses = ClassSet(kMaintenance) | kDdlBlocking;
    out.add(kClasses);
    for (int i = 0; i < list_length(vacuum.rels); ++i) {
        auto const* const range = static_cast<VacuumRelation*>(list_nth(vacuum.rels, i))->relation;
        if (range == nullptr) continue;
        auto object = name_of_range(range, "table");
        out.add(kClasses, object.kind, object.name);
    }
}

// EXPLAIN ANALYZE makes the table of a CREATE TABLE AS without passing ProcessUtility again.
void classify_explain(const ExplainStmt& explain, FootprintBuilder& out) {
    if (!has_option(explain.options, "analyze") || !IsA(explain.query, Query)) return;
    auto* const made = castNode(Query, explain.query)->utilityStmt;
    if (made != nullptr && IsA(made, CreateTableAsStmt)) classify_definition(made, out);
}

void classify_cluster(const ClusterStmt& cluster, FootprintBuilder& out) {
    constexpr ClassSet kClasses = ClassSet(kMaintenance) | kDdlBlocking;
    out.add(kClasses);
    if (cluster.relation == nullptr) return;
    auto object = name_of_range(cluster.relation, "table");
    out.add(kClasses, object.kind, object.name);
}

void classify_refresh(const RefreshMatViewStmt& refresh, FootprintBuilder& out) {
    auto object = name_of_range(refresh.relation, "materialized_view");
    out.add(refresh.concurrent ? ClassSet(kMaintenance) : ClassSet(kMaintenance) | kDdlBlocking, object.kind,
            object.name);
}

// What an ordinary role may set and still is not the session's own affair.
constexpr std::array<const char*, 6> kProtectedAlways = {
    "row_security",         "local_preload_libraries", "session_preload_libraries", "session_replication_role",
    "lo_compat_privileges", "allow_system_table_mods"};
// hoopguard.channel keeps no value: calls of pg_notify() are made to pass through it.
constexpr std::array<const char*, 3> kOwn = {"hoopguard.request_id", "hoopguard.reason", "hoopguard.channel"};

template <class Names>
bool contains(const Names& names, const char* name) {
    return std::ranges::any_of(names, [name](const char* one) { return pg_strcasecmp(one, name) == 0; });
}

}  // namespace

bool is_protected_setting(const char* name) {
    if (contains(kOwn, name)) return false;
    if (contains(kProtectedAlways, name) || pg_strncasecmp(name, "hoopguard.", strlen("hoopguard.")) == 0)
        return true;
    auto const context = pg::call([name] { return pg::setting_context(name); });
    return context != PGC_USERSET && context != PGC_INTERNAL;
}

[[gnu::hot]] void classify_utility(Node* node, FootprintBuilder& out) {
    if (classify_shared_object(node, out) || classify_alteration(node, out) || classify_definition(node, out))
        return;
    switch (nodeTag(node)) {
        case T_GrantStmt: return classify_grant(as<GrantStmt>(node), out);
        case T_GrantRoleStmt: return classify_role_grant(as<GrantRoleStmt>(node), out);
        case T_AlterDefaultPrivilegesStmt:
        case T_ReassignOwnedStmt: return out.add(kGrant);
        case T_VariableSetStmt: return classify_setting(as<VariableSetStmt>(node), out);
        case T_AlterSystemStmt: return out.add(kConfig);
        case T_DiscardStmt: return out.add(kSession);
        case T_DoStmt:
        case T_LoadStmt: return out.add(kCode);
        case T_CopyStmt: return classify_copy(as<CopyStmt>(node), out);
        case T_TruncateStmt:
            return add_relations(as<TruncateStmt>(node).relations, ClassSet(kWriteTruncate) | kWriteUnbounded, out,
                                 kAllRows);
        case T_LockStmt: return add_relations(as<LockStmt>(node).relations, kMaintenance, out);
        case T_VacuumStmt: return classify_vacuum(as<VacuumStmt>(node), out);
        case T_ClusterStmt: return classify_cluster(as<ClusterStmt>(node), out);
        case T_ReindexStmt: return classify_reindex(as<ReindexStmt>(node), out);
        case T_RefreshMatViewStmt: return classify_refresh(as<RefreshMatViewStmt>(node), out);
        case T_CheckPointStmt: return out.add(kMaintenance);
        case T_ExplainStmt: return classify_explain(as<ExplainStmt>(node), out);
        // These do nothing to objects by themselves; what they run is met when it runs.
        case T_TransactionStmt:
        case T_VariableShowStmt:
        case T_PlannedStmt:
        case T_DeclareCursorStmt:
        case T_ClosePortalStmt:
        case T_FetchStmt:
        case T_PrepareStmt:
        case T_ExecuteStmt:
        case T_DeallocateStmt:
        case T_CallStmt:
        case T_ListenStmt:
        case T_UnlistenStmt:
        case T_NotifyStmt:
        case T_ConstraintsSetStmt: return;
        // A kind of statement that a later PostgreSQL brings is judged as a change of definitions.
        default: return out.add(ClassSet(kDdlAlter));
    }
}

}  // namespace hoopguard::classify
