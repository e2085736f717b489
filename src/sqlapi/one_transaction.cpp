// Where utility.c and the commands say PreventInTransactionBlock(), by what can be seen without a catalog.
#include "sqlapi/one_transaction.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
}

namespace hoopguard::sqlapi {

namespace {

bool is_on(List* options, const char* name, bool unless_said) {
    ListCell* cell;
    foreach (cell, options) {
        auto* const option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, name) == 0) return defGetBoolean(option);
    }
    return unless_said;
}

bool detaches_concurrently(const AlterTableStmt& alter) {
    ListCell* cell;
    foreach (cell, alter.cmds) {
        auto const* const command = lfirst_node(AlterTableCmd, cell);
        if (command->subtype == AT_DetachPartition && reinterpret_cast<PartitionCmd*>(command->def)->concurrent)
            return true;
    }
    return false;
}

bool rebuilds_much(const ReindexStmt& reindex) {
    return (reindex.kind != REINDEX_OBJECT_INDEX && reindex.kind != REINDEX_OBJECT_TABLE) ||
           is_on(reindex.params, "concurrently", false);
}

bool moves_database(const AlterDatabaseStmt& alter) {
    ListCell* cell;
    foreach (cell, alter.options)
        if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0) return true;
    return false;
}

// The command that PostgreSQL runs by itself alone; null: another.
const char* lone_command(const Node* statement) {
    switch (nodeTag(statement)) {
        case T_VacuumStmt:
            return reinterpret_cast<const VacuumStmt*>(statement)->is_vacuumcmd ? "VACUUM" : nullptr;
        case T_CreatedbStmt: return "CREATE DATABASE";
        case T_DropdbStmt: return "DROP DATABASE";
        case T_CreateTableSpaceStmt: return "CREATE TABLESPACE";
        case T_DropTableSpaceStmt: return "DROP TABLESPACE";
        case T_AlterSystemStmt: return "ALTER SYSTEM";
        case T_AlterDatabaseStmt:
            return moves_database(*reinterpret_cast<const AlterDatabaseStmt*>(statement))
                       ? "ALTER DATABASE SET TABLESPACE"
                       : nullptr;
        case T_IndexStmt:
            return reinterpret_cast<const IndexStmt*>(statement)->concurrent ? "CREATE INDEX CONCURRENTLY"
                                                                             : nullptr;
        case T_DropStmt:
            return reinterpret_cast<const DropStmt*>(statement)->concurrent ? "DROP INDEX CONCURRENTLY" : nullptr;
        case T_ReindexStmt:
            return rebuilds_much(*reinterpret_cast<const ReindexStmt*>(statement))
                       ? "REINDEX CONCURRENTLY, or of more than a table"
                       : nullptr;
        case T_ClusterStmt:
            return reinterpret_cast<const ClusterStmt*>(statement)->relation == nullptr ? "CLUSTER of all tables"
                                                                                        : nullptr;
        case T_AlterTableStmt:
            return detaches_concurrently(*reinterpret_cast<const AlterTableStmt*>(statement))
                       ? "DETACH PARTITION CONCURRENTLY"
                       : nullptr;
        case T_CreateSubscriptionStmt: {
            auto const* const create = reinterpret_cast<const CreateSubscriptionStmt*>(statement);
            bool const connects = is_on(create->options, "connect", true);
            return is_on(create->options, "create_slot", connects) ? "CREATE SUBSCRIPTION with its slot" : nullptr;
        }
        case T_DiscardStmt:
            return reinterpret_cast<const DiscardStmt*>(statement)->target == DISCARD_ALL ? "DISCARD ALL"
                                                                                          : nullptr;
        default: return nullptr;
    }
}

}  // namespace

const char* obstacle_to_one_transaction(const Node* statement) {
    if (IsA(statement, TransactionStmt)) return "begins or ends a transaction";
    if (IsA(statement, CopyStmt) && reinterpret_cast<const CopyStmt*>(statement)->filename == nullptr)
        return "copies from or to the client";
    auto const* const lone = lone_command(statement);
    return lone != nullptr ? psprintf("PostgreSQL runs by itself alone: %s", lone) : nullptr;
}

}  // namespace hoopguard::sqlapi
