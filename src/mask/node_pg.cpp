// Execution in PostgreSQL's world alone, a row at a time: what it calls of C++ throws nothing and owns nothing. A
// masked text is written to a buffer of its column, which is good until the next row, as a virtual slot's are.
#include "mask/node_pg.hpp"

#include "mask/mask_call_pg.hpp"
#include "mask/value_pg.hpp"
#include "pg/compat.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "utils/ruleutils.h"
}

namespace hoopguard::mask {

namespace {

struct Column {
    int source;  // index of the column below
    bool masked;
    bool plain;      // text that mask_text() alone masks
    ValueMask mask;  // when it is masked
    char* buffer;
    std::size_t room;
};

struct MaskState {
    CustomScanState scan;
    int count;
    int needed;  // how many columns below are read
    Column* columns;
};

constexpr std::size_t kFirstRoom = 128;

Var* source_of(Expr* column, FuncExpr** mask) {
    *mask = nullptr;
    if (IsA(column, Var)) return castNode(Var, column);
    Expr* expression = IsA(column, RelabelType) ? castNode(RelabelType, column)->arg : column;
    *mask = castNode(FuncExpr, expression);
    return linitial_node(Var, (*mask)->args);
}

void begin_column(Column& column, Expr* expression, MemoryContext context) {
    FuncExpr* mask;
    Var* const source = source_of(expression, &mask);
    column.source = source->varattno - 1;
    column.masked = mask != nullptr;
    if (!column.masked) return;
    column.mask = value_mask(source->vartype, spec_of(mask), context);
    column.plain = column.mask.plain_text();
    if (!column.plain) return;
    column.room = kFirstRoom;
    column.buffer = static_cast<char*>(MemoryContextAlloc(context, column.room));
}

void make_room(Column& column, std::size_t room, MemoryContext context) {
    pfree(column.buffer);
    column.room = room + room / 2;
    if (column.room > MaxAllocSize) column.room = room;
    column.buffer = static_cast<char*>(MemoryContextAlloc(context, column.room));
}

// Whether a text lies in its row as it is, neither compressed nor kept elsewhere.
bool lies_in_row(Datum value) {
    auto* stored = reinterpret_cast<struct varlena*>(DatumGetPointer(value));
    // VARATT_IS_SHORT is true of pointers to toasted values too.
    return !VARATT_IS_EXTERNAL(stored) && !VARATT_IS_COMPRESSED(stored);
}

Datum mask_plain(Column& column, Datum value, MemoryContext context) {
    auto* stored = reinterpret_cast<struct varlena*>(DatumGetPointer(value));
    std::size_t const size = VARSIZE_ANY_EXHDR(stored);
    std::size_t const room = VARHDRSZ + room_for(column.mask.spec, size);
    if (room > column.room) make_room(column, room, context);
    std::size_t const length = mask_text(column.mask.spec, column.mask.keys, column.mask.step,
                                         {VARDATA_ANY(stored), size}, VARDATA(column.buffer));
    SET_VARSIZE(column.buffer, VARHDRSZ + length);
    return PointerGetDatum(column.buffer);
}

Datum mask_other(const Column& column, Datum value, bool* is_null, ExprContext* expressions) {
    MemoryContext const before = MemoryContextSwitchTo(expressions->ecxt_per_tuple_memory);
    Datum const masked = mask_value(column.mask, value, is_null);
    MemoryContextSwitchTo(before);
    return masked;
}

CustomScanMethods scan_methods;
CustomExecMethods exec_methods;

extern "C" {

static Node* hoopguard_mask_create(CustomScan*) {
    auto* state = static_cast<MaskState*>(palloc0(sizeof(MaskState)));
    NodeSetTag(state, T_CustomScanState);
    state->scan.methods = &exec_methods;
    return reinterpret_cast<Node*>(state);
}

static void hoopguard_mask_begin(CustomScanState* node, EState* estate, int flags) {
    auto* state = reinterpret_cast<MaskState*>(node);
    auto* plan = castNode(CustomScan, node->ss.ps.plan);
    outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, flags);
    find_mask_functions();
    state->count = list_length(plan->custom_scan_tlist);
    state->columns = static_cast<Column*>(palloc0(sizeof(Column) * static_cast<std::size_t>(state->count)));
    // EXPLAIN alone masks nothing, and needs no secret.
    if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
    for (int i = 0; i < state->count; ++i) {
        Column& column = state->columns[i];
        begin_column(column, list_nth_node(TargetEntry, plan->custom_scan_tlist, i)->expr, estate->es_query_cxt);
        state->needed = std::max(state->needed, column.source + 1);
    }
}

static TupleTableSlot* hoopguard_mask_next(CustomScanState* node) {
    auto* state = reinterpret_cast<MaskState*>(node);
    ExprContext* const expressions = node->ss.ps.ps_ExprContext;
    ResetExprContext(expressions);
    TupleTableSlot* const below = ExecProcNode(outerPlanState(node));
    TupleTableSlot* const row = node->ss.ss_ScanTupleSlot;
    ExecClearTuple(row);
    if (TupIsNull(below)) return row;
    slot_getsomeattrs(below, state->needed);
    int masked = 0;
    for (int i = 0; i < state->count; ++i) {
        Column& column = state->columns[i];
        Datum const value = below->tts_values[column.source];
        bool const is_null = below->tts_isnull[column.source];
        row->tts_isnull[i] = is_null;
        if (is_null || !column.masked) {
            row->tts_values[i] = value;
            continue;
        }
        ++masked;
        row->tts_values[i] = column.plain && lies_in_row(value)
                                 ? mask_plain(column, value, node->ss.ps.state->es_query_cxt)
                                 : mask_other(column, value, &row->tts_isnull[i], expressions);
    }
    InstrCountFiltered1(node, masked);
    ExecStoreVirtualTuple(row);
    if (node->ss.ps.ps_ProjInfo == nullptr) return row;
    expressions->ecxt_scantuple = row;
    return ExecProject(node->ss.ps.ps_ProjInfo);
}

static void hoopguard_mask_end(CustomScanState* node) {
    ExecEndNode(outerPlanState(node));
}

static void hoopguard_mask_rescan(CustomScanState* node) {
    if (outerPlanState(node)->chgParam == nullptr) ExecReScan(outerPlanState(node));
}

static void hoopguard_mask_explain(CustomScanState* node, List* ancestors, ExplainState* es) {
    auto* plan = castNode(CustomScan, node->ss.ps.plan);
    List* const context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
    List* masks = NIL;
    ListCell* cell;
    foreach (cell, plan->custom_scan_tlist) {
        FuncExpr* mask;
        Var* const source = source_of(lfirst_node(TargetEntry, cell)->expr, &mask);
        if (mask == nullptr) continue;
        char method[64] = "";
        describe(spec_of(mask).method, method, sizeof method);
        masks = lappend(masks, psprintf("%s => %s",
                                        deparse_expression(pg::as_node(source), context,
                                                           list_length(es->rtable) > 1 || es->verbose, false),
                                        method));
    }
    ExplainPropertyList("Masks", masks, es);
    if (es->analyze && node->ss.ps.instrument != nullptr)
        ExplainPropertyFloat("Values Masked", nullptr, node->ss.ps.instrument->nfiltered1, 0, es);
}

}  // extern "C"

}  // namespace

void register_mask_node() {
    scan_methods.CustomName = "HoopMask";
    scan_methods.CreateCustomScanState = hoopguard_mask_create;
    RegisterCustomScanMethods(&scan_methods);
    exec_methods.CustomName = "HoopMask";
    exec_methods.BeginCustomScan = hoopguard_mask_begin;
    exec_methods.ExecCustomScan = hoopguard_mask_next;
    exec_methods.EndCustomScan = hoopguard_mask_end;
    exec_methods.ReScanCustomScan = hoopguard_mask_rescan;
    exec_methods.ExplainCustomScan = hoopguard_mask_explain;
}

bool is_mask_node(const CustomScan* node) noexcept {
    return node->methods == &scan_methods;
}

Plan* make_mask_node(Plan* below, List* masks, List* outputs, bool backward, int id) {
    CustomScan* node = makeNode(CustomScan);
    Plan& plan = node->scan.plan;
    plan.startup_cost = below->startup_cost;
    plan.total_cost = below->total_cost;
    plan.plan_rows = below->plan_rows;
    plan.plan_width = below->plan_width;
    plan.parallel_safe = below->parallel_safe;
    plan.plan_node_id = id;
    plan.targetlist = outputs;
    plan.lefttree = below;
    plan.extParam = bms_copy(below->extParam);
    plan.allParam = bms_copy(below->allParam);
    node->flags = backward ? CUSTOMPATH_SUPPORT_BACKWARD_SCAN : 0;
    node->custom_scan_tlist = masks;
    node->methods = &scan_methods;
    return &plan;
}

}  // namespace hoopguard::mask
