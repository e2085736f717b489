// The foreign data wrapper behind the journal's views: handler, validator, executor and EXPLAIN callbacks.
// It takes no path and no connection from anyone: a foreign table says which content it shows, nothing else.
#include "sqlapi/journal_scan.hpp"

#include "pg/compat.hpp"
#include "pg/memory.hpp"
#include "pg/report.hpp"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "nodes/pg_list.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

// The script that defined the table and the library must mean the same columns.
void require_columns(Content content, TupleDesc descriptor, const char* table) {
    Columns const columns = columns_of(content);
    bool same = descriptor->natts == columns.count;
    for (int i = 0; same && i < columns.count; ++i) {
        auto const attribute = TupleDescAttr(descriptor, i);
        same = attribute->atttypid == columns.first[i].type &&
               std::string_view(NameStr(attribute->attname)) == columns.first[i].name;
    }
    if (!same)
        throw pg::Refusal(
            ERRCODE_FDW_INVALID_COLUMN_NUMBER,
            pg::format("foreign table \"%s\" has other columns than this version of hoopguard gives", table),
            nullptr, "ALTER EXTENSION hoopguard UPDATE brings them up to date.");
}

JournalScan* scan_of(ForeignScanState* node) {
    return static_cast<JournalScan*>(node->fdw_state);
}

// "started_at >= …" for each comparison handed down.
const char* described(ForeignScanState* node, ExplainState* explain) {
    auto* plan = castNode(ForeignScan, node->ss.ps.plan);
    auto const content = static_cast<Content>(linitial_int(static_cast<List*>(linitial(plan->fdw_private))));
    List* keys = static_cast<List*>(lthird(plan->fdw_private));
    List* context = set_deparse_context_plan(explain->deparse_cxt, node->ss.ps.plan, NIL);
    StringInfoData text;
    initStringInfo(&text);
    constexpr const char* kSigns[] = {"", "<", "<=", "=", ">=", ">", "= ANY"};
    int number = 0;
    ListCell* cell;
    foreach (cell, plan->fdw_exprs) {
        int const column = list_nth_int(keys, number * 3 + 1);
        int const comparison = list_nth_int(keys, number * 3 + 2);
        char* value = deparse_expression(static_cast<Node*>(lfirst(cell)), context, explain->verbose, false);
        appendStringInfo(&text, comparison == static_cast<int>(Comparison::kAny) ? "%s%s %s (%s)" : "%s%s %s %s",
                         number > 0 ? " AND " : "", columns_of(content).first[column].name, kSigns[comparison],
                         value);
        ++number;
    }
    return text.data;
}

}  // namespace

extern "C" {

static void hoopguard_BeginForeignScan(ForeignScanState* node, int flags) {
    if (flags & EXEC_FLAG_EXPLAIN_ONLY) return;
    pg::entry(pg::Door::kGate, "BeginForeignScan", [node] {
        auto* plan = castNode(ForeignScan, node->ss.ps.plan);
        auto* content_list = static_cast<List*>(linitial(plan->fdw_private));
        auto* columns = static_cast<List*>(lsecond(plan->fdw_private));
        auto* keys = static_cast<List*>(lthird(plan->fdw_private));
        auto const content = static_cast<Content>(linitial_int(content_list));
        Relation const relation = node->ss.ss_currentRelation;
        require_columns(content, RelationGetDescr(relation), RelationGetRelationName(relation));

        List* states =
            pg::call([=] { return ExecInitExprList(plan->fdw_exprs, reinterpret_cast<PlanState*>(node)); });
        UsedColumns used;
        ListCell* cell;
        foreach (cell, columns) used.set(static_cast<std::size_t>(lfirst_int(cell)));
        std::vector<ScanQual> quals;
        for (int i = 0; i < list_length(states); ++i)
            quals.push_back({static_cast<Key>(list_nth_int(keys, i * 3)), list_nth_int(keys, i * 3 + 1),
                             static_cast<Comparison>(list_nth_int(keys, i * 3 + 2)),
                             static_cast<ExprState*>(list_nth(states, i))});
        node->fdw_state =
            pg::make_in<JournalScan>(node->ss.ps.state->es_query_cxt, content, used, std::move(quals));
    });
}

static TupleTableSlot* hoopguard_IterateForeignScan(ForeignScanState* node) {
    TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    ExecClearTuple(slot);
    bool const more = pg::entry(pg::Door::kGate, "IterateForeignScan", [=] {
        return scan_of(node)->next(node->ss.ps.ps_ExprContext, slot->tts_values, slot->tts_isnull);
    });
    if (more) ExecStoreVirtualTuple(slot);
    return slot;
}

static void hoopguard_ReScanForeignScan(ForeignScanState* node) {
    if (scan_of(node) != nullptr) scan_of(node)->rewind();
}

static void hoopguard_EndForeignScan(ForeignScanState* node) {
    // The scan belongs to the query's memory context: its files are closed when that goes, at once after this.
    node->fdw_state = nullptr;
}

static void hoopguard_ExplainForeignScan(ForeignScanState* node, ExplainState* explain) {
    const char* text = described(node, explain);
    if (*text != '\0') ExplainPropertyText("Journal Filter", text, explain);
    if (!explain->analyze || scan_of(node) == nullptr) return;
    ExplainPropertyUInteger("Journal Blocks Read", nullptr, scan_of(node)->blocks_read(), explain);
    ExplainPropertyUInteger("Journal Blocks Skipped", nullptr, scan_of(node)->blocks_skipped(), explain);
}

PG_FUNCTION_INFO_V1(hoopguard_journal_handler);
PGDLLEXPORT Datum hoopguard_journal_handler(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(hoopguard_journal_validator);
PGDLLEXPORT Datum hoopguard_journal_validator(PG_FUNCTION_ARGS);

}  // extern "C"

Datum hoopguard_journal_handler(PG_FUNCTION_ARGS) {
    FdwRoutine* routine = makeNode(FdwRoutine);
    routine->GetForeignRelSize = hoopguard_GetForeignRelSize;
    routine->GetForeignPaths = hoopguard_GetForeignPaths;
    routine->GetForeignPlan = hoopguard_GetForeignPlan;
    routine->BeginForeignScan = hoopguard_BeginForeignScan;
    routine->IterateForeignScan = hoopguard_IterateForeignScan;
    routine->ReScanForeignScan = hoopguard_ReScanForeignScan;
    routine->EndForeignScan = hoopguard_EndForeignScan;
    routine->ExplainForeignScan = hoopguard_ExplainForeignScan;
    PG_RETURN_POINTER(routine);
}

Datum hoopguard_journal_validator(PG_FUNCTION_ARGS) {
    Oid const catalog = PG_GETARG_OID(1);
    ListCell* cell;
    foreach (cell, untransformRelOptions(PG_GETARG_DATUM(0))) {
        auto* option = lfirst_node(DefElem, cell);
        if (catalog != ForeignTableRelationId || strcmp(option->defname, "content") != 0)
            ereport(ERROR,
                    (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", option->defname),
                     errhint("The journal's foreign tables have one option, \"content\"; nothing else has any.")));
        if (!content_named(defGetString(option)))
            ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
                            errmsg("invalid value for option \"content\": \"%s\"", defGetString(option)),
                            errhint("Allowed: statement, session, segment.")));
    }
    PG_RETURN_VOID();
}
