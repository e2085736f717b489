// Which commands need a database to themselves: those that PostgreSQL refuses while another session is in it
// (CountOtherDBBackends).
#include "policy/release_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "policy/standing_pg.hpp"

#include <cstring>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "utils/syscache.h"
}

namespace hoopguard::policy {

namespace {

const char* option(List* options, const char* name) {
    ListCell* cell;
    foreach (cell, options) {
        auto* const one = static_cast<DefElem*>(lfirst(cell));
        if (strcmp(one->defname, name) == 0 && one->arg != nullptr) return defGetString(one);
    }
    return nullptr;
}

// Its name, or null.
const char* needed_alone(const Node* command) {
    switch (nodeTag(command)) {
        case T_DropdbStmt: return reinterpret_cast<const DropdbStmt*>(command)->dbname;
        case T_CreatedbStmt: return option(reinterpret_cast<const CreatedbStmt*>(command)->options, "template");
        case T_AlterDatabaseStmt: {
            auto const* const alter = reinterpret_cast<const AlterDatabaseStmt*>(command);
            return option(alter->options, "tablespace") != nullptr ? alter->dbname : nullptr;
        }
        case T_RenameStmt: {
            auto const* const rename = reinterpret_cast<const RenameStmt*>(command);
            return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
        }
        default: return nullptr;
    }
}

bool owns_control_database() {
    Oid const database = get_database_oid(pg::settings.database, true);
    HeapTuple const tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
    if (!HeapTupleIsValid(tuple)) return false;
    Oid const owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple))->datdba;
    ReleaseSysCache(tuple);
    return has_privs_of_role(GetUserId(), owner);
}

}  // namespace

void release_control_database(const Node* command) {
    bool const needed = pg::call([command] {
        auto const* const name = needed_alone(command);
        return name != nullptr && strcmp(name, pg::settings.database) == 0 && owns_control_database();
    });
    if (needed) dismiss_broker();
}

}  // namespace hoopguard::policy
