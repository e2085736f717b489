// Walking pg_auth_members upwards, and hearing of changes of roles.
#include "decide/memberships_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/settings.hpp"

#include <algorithm>
#include <string_view>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "nodes/pg_list.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
}

namespace hoopguard::decide {

namespace {

std::uint64_t epoch = 1;

// The owner of the current database holds pg_database_owner without a row saying so.
List* add_implied(List* roles, Oid role) {
    HeapTuple const tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
    if (!HeapTupleIsValid(tuple)) return roles;
    bool const owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba == role;
    ReleaseSysCache(tuple);
    return owner ? list_append_unique_oid(roles, ROLE_PG_DATABASE_OWNER) : roles;
}

List* add_direct(List* roles, Oid member) {
    CatCList* const rows = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(member));
    for (int i = 0; i < rows->n_members; ++i) {
        auto const* const row = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(&rows->members[i]->tuple));
        roles = list_append_unique_oid(roles, row->roleid);
    }
    ReleaseSysCacheList(rows);
    return roles;
}

struct Names {
    char** texts;
    int count;
};

Names names_of(Oid role) {
    List* roles = list_make1_oid(role);
    for (int i = 0; i < list_length(roles); ++i) {
        roles = add_direct(roles, list_nth_oid(roles, i));
        roles = add_implied(roles, list_nth_oid(roles, i));
    }
    auto** const texts = static_cast<char**>(palloc(sizeof(char*) * static_cast<std::size_t>(list_length(roles))));
    int count = 0;
    for (int i = 0; i < list_length(roles); ++i)
        if (char* const name = GetUserNameFromId(list_nth_oid(roles, i), true)) texts[count++] = name;
    return {texts, count};
}

}  // namespace

extern "C" {

static void hoopguard_roles_changed(Datum, int, uint32) {
    ++epoch;
}

}  // extern "C"

std::vector<std::string> memberships(Oid role) {
    auto const names = pg::call([role] { return names_of(role); });
    std::vector<std::string> sorted(names.texts, names.texts + names.count);
    std::ranges::sort(sorted);
    return sorted;
}

bool is_system_role(Oid role) {
    return pg::call([role] {
        List* names = NIL;
        char* const setting = pstrdup(pg::settings.system_roles);
        char const* const name = GetUserNameFromId(role, true);
        if (name == nullptr || !SplitIdentifierString(setting, ',', &names)) return false;
        ListCell* cell;
        foreach (cell, names)
            if (strcmp(static_cast<char*>(lfirst(cell)), name) == 0) return true;
        return false;
    });
}

[[gnu::hot]] std::uint64_t roles_epoch() {
    static bool listening = false;
    if (!listening) {
        pg::call([] {
            for (int const cache : {AUTHOID, AUTHMEMROLEMEM, DATABASEOID})
                CacheRegisterSyscacheCallback(cache, hoopguard_roles_changed, Datum{0});
        });
        listening = true;
    }
    return epoch;
}

}  // namespace hoopguard::decide
