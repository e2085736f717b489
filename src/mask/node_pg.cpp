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
    std::size_t longest;  // of the texts that are known to fit there when masked
};

struct MaskState {
    CustomScanState scan;
    int count;
    int needed;      // how many columns below are read
    bool allocated;  // memory for the row at hand
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

// For the masked form of a text of `size` bytes.
void make_room(Column& column, std::size_t size, MemoryContext context) {
    column.longest = size;
    std::size_t const room = VARHDRSZ + room_for(column.mask.spec, size);
    if (room <= column.room) return;
    pfree(column.buffer);
    column.room = room + room / 2;
    if (column.room > MaxAllocSize) column.room = room;
    column.buffer = static_cast<char*>(MemoryContextAlloc(context, column.room));
}

// A text as it lies in its row; without data where it is compressed or kept elsewhere.
std::string_view text_in_row(Datum value) noexcept {
    auto* const stored = DatumGetPointer(value);
    // VARATT_IS_1B is true of pointers to toasted values too.
    if (VARATT_IS_1B(stored))
        return VARATT_IS_1B_E(stored) ? std::string_view()
                                      : std::string_view(VARDATA_1B(stored), VARSIZE_1B(stored) - VARHDRSZ_SHORT);
    return VARATT_IS_4B_U(stored) ? std::string_view(VARDATA_4B(stored), VARSIZE_4B(stored) - VARHDRSZ)
                                  : std::string_view();
}

Datum mask_plain(Column& column, std::string_view text, MemoryContext context) {
    if (text.size() > column.longest) make_room(column, text.size(), context);
    std::size_t const length =
        mask_text(column.mask.spec, column.mask.keys, column.mask.step, text, VARDATA(column.buffer));
    SET_VARSIZE(column.buffer, VARHDRSZ + length);
    return PointerGetDatum(column.buffer);
}

Datum mask_other(MaskState& state, const Column& column, Datum value, bool* is_null) {
    state.allocated = true;
    ExprContext* const expressions = state.scan.ss.ps.ps_ExprContext;
    MemoryContext const before = MemoryContextSwitchTo(expressions->ecxt_per_tuple_memory);
    Datum const masked = mask_value(column.mask, value, is_null);
    MemoryContextSwitchTo(before);
    return masked;
}

// The last row, and what was allocated for it: mostly nothing.
void forget_row(MaskState& state) {
    if (state.allocated || state.scan.ss.ps.ps_ProjInfo != nullptr)
        ResetExprContext(state.scan.ss.ps.ps_ExprContext);
    state.allocated = false;
    TupleTableSlot* const row = state.scan.ss.ss_ScanTupleSlot;
    if (TTS_SHOULDFREE(row)) ExecClearTuple(row);
}

// Fills `row` from the row below; returns how many values it masked.
int mask_row(MaskState& state, const TupleTableSlot* below, TupleTableSlot* row) {
    const Datum* const values = below->tts_values;
    const bool* const nulls = below->tts_isnull;
    Datum* const shown = row->tts_values;
    bool* const shown_nulls = row->tts_isnull;
    int masked = 0;
    for (int i = 0; i < state.count; ++i) {
        Column& column = state.columns[i];
        Datum const value = values[column.source];
        bool const is_null = nulls[column.source];
        shown[i] = value;
        shown_nulls[i] = is_null;
        if (is_null || !column.masked) continue;
        ++masked;
        std::string_view const text = column.plain ? text_in_row(value) : std::string_view();
        shown[i] = text.data() != nullptr ? mask_plain(column, text, state.scan.ss.ps.state->es_query_cxt)
                                          : mask_other(state, column, value, &shown_nulls[i]);
    }
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
    TupleTableSlot* const row = node->ss.ss_ScanTupleSlot;
    forget_row(*state);
    TupleTableSlot* const below = ExecProcNode(outerPlanState(node));
    if (TupIsNull(below)) return ExecClearTuple(row);
    slot_getsomeattrs(below, state->needed);
    int const masked = mask_row(*state, below, row);
    InstrCountFiltered1(node, masked);
    // What ExecStoreVirtualTuple() does to a slot that was emptied first.
    row->tts_flags &= static_cast<std::uint16_t>(~TTS_FLAG_EMPTY);
    row->tts_nvalid = static_cast<AttrNumber>(state->count);
    if (node->ss.ps.ps_ProjInfo == nullptr) return row;
    node->ss.ps.ps_ExprContext->ecxt_scantuple = row;
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
