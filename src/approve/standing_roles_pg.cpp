// PostgreSQL's own checks always count every membership: here the lists of privileges are read anew.
#include "approve/standing_roles_pg.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace hoopguard::approve {

namespace {

bool holds(const List* standing, Oid role) {
    return list_member_oid(standing, role);
}

// What the roles in `standing` may do by a list of privileges; by its owner all.
AclMode granted_by(const List* standing, Oid owner, const Acl* acl) {
    if (holds(standing, owner)) return ~AclMode{0};
    if (acl == nullptr) return 0;
    AclMode granted = 0;
    auto const* const items = ACL_DAT(acl);
    for (int i = 0; i < ACL_NUM(acl); ++i)
        if (items[i].ai_grantee == ACL_ID_PUBLIC || holds(standing, items[i].ai_grantee))
            granted |= ACLITEM_GET_PRIVS(items[i]);
    return granted;
}

const Acl* acl_of(int cache, HeapTuple tuple, AttrNumber column) {
    bool null = false;
    Datum const value = SysCacheGetAttr(cache, tuple, column, &null);
    return null ? nullptr : DatumGetAclPCopy(value);
}

bool covers_functions(const List* standing, const char* name, Oid schema) {
    CatCList* const found = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
    bool covered = true;
    for (int i = 0; i < found->n_members; ++i) {
        auto const* const row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&found->members[i]->tuple));
        if (row->pronamespace == schema && !holds(standing, row->proowner)) covered = false;
    }
    ReleaseSysCacheList(found);
    return covered;
}

}  // namespace

List* standing_roles(Oid member, const List* granted) {
    List* roles = list_make1_oid(member);
    for (int i = 0; i < list_length(roles); ++i) {
        Oid const one = list_nth_oid(roles, i);
        CatCList* const rows = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(one));
        for (int j = 0; j < rows->n_members; ++j) {
            Oid const role = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(&rows->members[j]->tuple))->roleid;
            if (one != member || !list_member_oid(granted, role)) roles = list_append_unique_oid(roles, role);
        }
        ReleaseSysCacheList(rows);
    }
    return roles;
}

bool covers_relation(const List* standing, Oid relation, AclMode required) {
    HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return false;
    Oid const owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    AclMode covered = granted_by(standing, owner, acl_of(RELOID, tuple, Anum_pg_class_relacl));
    ReleaseSysCache(tuple);
    if (holds(standing, ROLE_PG_READ_ALL_DATA)) covered |= ACL_SELECT;
    if (holds(standing, ROLE_PG_WRITE_ALL_DATA)) covered |= ACL_INSERT | ACL_UPDATE | ACL_DELETE;
    return (required & ~covered) == 0;
}

bool covers_schema(const List* standing, Oid schema) {
    HeapTuple const tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) return false;
    Oid const owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
    auto const covered = granted_by(standing, owner, acl_of(NAMESPACEOID, tuple, Anum_pg_namespace_nspacl));
    ReleaseSysCache(tuple);
    return (covered & ACL_CREATE) != 0;
}

bool covers_object(const List* standing, const char* name, bool is_function) {
    const char* const dot = strchr(name, '.');
    if (dot == nullptr) return false;
    auto const* const schema_name = pnstrdup(name, static_cast<Size>(dot - name));
    Oid const schema = get_namespace_oid(schema_name, true);
    // What is temporary ends with the session.
    if (!OidIsValid(schema)) return strncmp(schema_name, "pg_temp", 7) == 0;
    if (isAnyTempNamespace(schema)) return true;
    if (is_function) return covers_schema(standing, schema) && covers_functions(standing, dot + 1, schema);
    Oid const relation = get_relname_relid(dot + 1, schema);
    if (!OidIsValid(relation)) return covers_schema(standing, schema);
    HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return false;
    bool const covered = holds(standing, reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner);
    ReleaseSysCache(tuple);
    return covered;
}

}  // namespace hoopguard::approve
