// Every difference between PostgreSQL 15, 16, 17 and 18 that hoopguard meets, written for the newest
// signature, each with a sentence. No other file tests PG_VERSION_NUM.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "access/stratnum.h"
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "libpq/libpq-be.h"
#include "optimizer/pathnode.h"
#include "pgstat.h"
#include "replication/message.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc_tables.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
// 16 moved query ids to where the node support is generated.
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#else
#include "utils/queryjumble.h"
#endif
}
#undef bind

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "hoopguard knows PostgreSQL 15, 16, 17 and 18"
#endif

// 18 dropped ExecutorRun's execute_once argument.
#if PG_VERSION_NUM >= 180000
#define HOOPGUARD_RUN_ARGS QueryDesc *query, ScanDirection direction, uint64 count
#define HOOPGUARD_RUN_PASS query, direction, count
#else
#define HOOPGUARD_RUN_ARGS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define HOOPGUARD_RUN_PASS query, direction, count, once
#endif

// 17 added the restrictions that the path applies, 18 the number of disabled nodes.
inline ForeignPath* make_foreign_path(PlannerInfo* root, RelOptInfo* rel, double rows, Cost startup, Cost total,
                                      Relids outer) {
#if PG_VERSION_NUM >= 180000
    return create_foreignscan_path(root, rel, nullptr, rows, 0, startup, total, NIL, outer, nullptr, NIL, NIL);
#elif PG_VERSION_NUM >= 170000
    return create_foreignscan_path(root, rel, nullptr, rows, startup, total, NIL, outer, nullptr, NIL, NIL);
#else
    return create_foreignscan_path(root, rel, nullptr, rows, startup, total, NIL, outer, nullptr, NIL);
#endif
}

// 16 renamed the look at one backend's entry of the local snapshot.
inline const PgBackendStatus* backend_status(int number) {
#if PG_VERSION_NUM >= 160000
    LocalPgBackendStatus* local = pgstat_get_local_beentry_by_index(number);
#else
    LocalPgBackendStatus* local = pgstat_fetch_stat_local_beentry(number);
#endif
    return local ? &local->backendStatus : nullptr;
}

// 18 takes tokens by itself (RFC 7628), and asks a library whether they are good.
#if PG_VERSION_NUM >= 180000
#define HOOPGUARD_OAUTH_VALIDATOR
#endif

namespace hoopguard::pg {

// 16 moved the identity that a client authenticated as out of Port.
inline const char* authenticated_id(const Port* port) {
#if PG_VERSION_NUM >= 160000
    return MyClientConnectionInfo.authn_id;
#else
    return port->authn_id;
#endif
}

// SYSTEM_USER (16) and pg_stat_gssapi show it. `id` outlives the session.
inline void set_authenticated_id(Port* port, const char* id) {
#if PG_VERSION_NUM >= 160000
    MyClientConnectionInfo.authn_id = MemoryContextStrdup(TopMemoryContext, id);
#else
    port->authn_id = MemoryContextStrdup(TopMemoryContext, id);
#endif
}

// Memory that a setting's check hook hands to its assign hook; 16 gave settings a memory context of their own.
inline void* guc_allocate(std::size_t size) {
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, size);
#else
    return malloc(size);
#endif
}

// A setting that exists. 16 made the look-up public; before it, the table of settings is searched.
inline config_generic* find_setting(const char* name) {
#if PG_VERSION_NUM >= 160000
    return find_option(name, false, false, ERROR);
#else
    config_generic** const settings = get_guc_variables();
    for (int i = 0; i < GetNumConfigOptions(); ++i)
        if (strcmp(settings[i]->name, name) == 0) return settings[i];
    elog(ERROR, "unrecognized configuration parameter \"%s\"", name);
#endif
}

// Who may change a setting; PGC_USERSET when there is none of that name. 16 made the look-up public; before it,
// the table of settings is searched.
inline GucContext setting_context(const char* name) {
#if PG_VERSION_NUM >= 160000
    auto const* const setting = find_option(name, false, true, ERROR);
    return setting == nullptr ? PGC_USERSET : setting->context;
#else
    config_generic** const settings = get_guc_variables();
    for (int i = 0; i < GetNumConfigOptions(); ++i)
        if (pg_strcasecmp(settings[i]->name, name) == 0) return settings[i]->context;
    return PGC_USERSET;
#endif
}

}  // namespace hoopguard::pg

// 16 gave the callbacks of tree walkers and mutators their types.
#if PG_VERSION_NUM >= 160000
#define HOOPGUARD_TYPED_TREE_CALLBACKS
#endif

namespace hoopguard::pg {

// 16 replaced the ownership checks of each kind of object by one.
inline bool owns_relation(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, relation, role);
#else
    return pg_class_ownercheck(relation, role);
#endif
}

// 18 compares set operations by columns of both inputs and renamed the array.
inline const AttrNumber* set_operation_columns(const SetOp* node) {
#if PG_VERSION_NUM >= 180000
    return node->cmpColIdx;
#else
    return node->dupColIdx;
#endif
}

// 18 puts a range table entry between a grouped query's target list and what it groups by; null elsewhere.
inline List* group_expressions(const RangeTblEntry* entry) {
#if PG_VERSION_NUM >= 180000
    return entry->rtekind == RTE_GROUP ? entry->groupexprs : NIL;
#else
    return NIL;
#endif
}

// Which of the server's processes this is, counted from 0; clients' and workers' are below MaxBackends. 17 renamed
// it.
inline int process_number() {
#if PG_VERSION_NUM >= 170000
    return MyProcNumber;
#else
    return MyProc != nullptr ? MyProc->pgprocno : -1;
#endif
}

// A privilege that a plan needs on a relation. 16 moved these out of the range table.
struct Permission {
    Oid relation;
    AclMode required;
    Bitmapset* selected;  // columns, offset by FirstLowInvalidHeapAttributeNumber; 0: the whole row
};

inline int permission_count(const PlannedStmt* plan) {
#if PG_VERSION_NUM >= 160000
    return list_length(plan->permInfos);
#else
    return list_length(plan->rtable);
#endif
}

inline Permission permission(const PlannedStmt* plan, int index) {
#if PG_VERSION_NUM >= 160000
    auto const* const info = static_cast<RTEPermissionInfo*>(list_nth(plan->permInfos, index));
    return {info->relid, info->requiredPerms, info->selectedCols};
#else
    auto const* const entry = static_cast<RangeTblEntry*>(list_nth(plan->rtable, index));
    if (entry->rtekind != RTE_RELATION) return {InvalidOid, 0, nullptr};
    return {entry->relid, entry->requiredPerms, entry->selectedCols};
#endif
}

// The same of a query that is not planned yet.
inline int permission_count(const Query* query) {
#if PG_VERSION_NUM >= 160000
    return list_length(query->rteperminfos);
#else
    return list_length(query->rtable);
#endif
}

inline Permission permission(const Query* query, int index) {
#if PG_VERSION_NUM >= 160000
    auto const* const info = static_cast<RTEPermissionInfo*>(list_nth(query->rteperminfos, index));
    return {info->relid, info->requiredPerms, info->selectedCols};
#else
    auto const* const entry = static_cast<RangeTblEntry*>(list_nth(query->rtable, index));
    if (entry->rtekind != RTE_RELATION) return {InvalidOid, 0, nullptr};
    return {entry->relid, entry->requiredPerms, entry->selectedCols};
#endif
}

// The role whose privileges count for it: a view's owner, for one; InvalidOid: whoever runs the plan.
inline Oid permission_role(const PlannedStmt* plan, int index) {
#if PG_VERSION_NUM >= 160000
    return static_cast<RTEPermissionInfo*>(list_nth(plan->permInfos, index))->checkAsUser;
#else
    return static_cast<RangeTblEntry*>(list_nth(plan->rtable, index))->checkAsUser;
#endif
}

// 17 moved MERGE's join condition out of the join tree and gave it actions for what the source lacks.
inline Node* merge_condition(const Query* query) {
#if PG_VERSION_NUM >= 170000
    return query->mergeJoinCondition;
#else
    return nullptr;
#endif
}

inline bool is_not_matched_by_source(const MergeAction* action) {
#if PG_VERSION_NUM >= 170000
    return action->matchKind == MERGE_WHEN_NOT_MATCHED_BY_SOURCE;
#else
    return false;
#endif
}

// Raises the error that running the plan would raise for want of a privilege. 16 moved these out of the range
// table.
inline void check_privileges(const PlannedStmt* plan) {
#if PG_VERSION_NUM >= 160000
    ExecCheckPermissions(plan->rtable, plan->permInfos, true);
#else
    ExecCheckRTPerms(plan->rtable, true);
#endif
}

}  // namespace hoopguard::pg

namespace hoopguard::pg {

// What pg_stat_activity shows of a session that waits for a person. 17 lets extensions name wait events; before,
// only the names of lock tranches are theirs, so that the type shows as LWLock.
inline constexpr const char* kApprovalWait = "HoopguardApproval";

inline void request_approval_wait() {
#if PG_VERSION_NUM < 170000
    RequestNamedLWLockTranche(kApprovalWait, 1);
#endif
}

inline uint32 approval_wait_event() {
#if PG_VERSION_NUM >= 170000
    return WaitEventExtensionNew(kApprovalWait);
#else
    return PG_WAIT_LWLOCK | static_cast<uint32>(GetNamedLWLockTranche(kApprovalWait)->lock.tranche);
#endif
}

// Whether the current user may call the function. 16 made one function of those that ask for each kind of object.
inline bool may_execute(Oid function) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#else
    return pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

// A message in the WAL that belongs to no transaction. 17 asks whether to flush it; nobody here waits for that.
inline void log_message(const char* prefix, const char* message, std::size_t size) {
#if PG_VERSION_NUM >= 170000
    LogLogicalMessage(prefix, message, size, false, false);
#else
    LogLogicalMessage(prefix, message, size, false);
#endif
}

// Whether x op x is true of every x that the operator knows: =, <= and >= of a btree. 18 speaks of kinds of
// comparison instead of a btree's strategies.
inline bool is_reflexive(Oid operation) {
    ListCell* cell;
#if PG_VERSION_NUM >= 180000
    foreach (cell, get_op_index_interpretation(operation)) {
        CompareType const kind = static_cast<OpIndexInterpretation*>(lfirst(cell))->cmptype;
        if (kind == COMPARE_EQ || kind == COMPARE_LE || kind == COMPARE_GE) return true;
    }
#else
    foreach (cell, get_op_btree_interpretation(operation)) {
        int const strategy = static_cast<OpBtreeInterpretation*>(lfirst(cell))->strategy;
        if (strategy == BTEqualStrategyNumber || strategy == BTLessEqualStrategyNumber ||
            strategy == BTGreaterEqualStrategyNumber)
            return true;
    }
#endif
    return false;
}

}  // namespace hoopguard::pg
