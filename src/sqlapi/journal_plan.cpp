// Planning a scan of the journal: which table, how many rows to expect, which comparisons to hand down.
// All of it is PostgreSQL's planner code: no C++ object is alive while anything here can raise.
#include "sqlapi/journal_plan.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::sqlapi {

namespace {

// Rough figures; only their order matters to the planner.
constexpr double kBytesPerRow = 400;
constexpr double kBlockSize = 65536;
constexpr double kRowsPerSession = 100;
constexpr double kRangeShare = 0.01;

struct Narrowing {
    bool session = false;
    bool entry = false;
    int ranges = 0;
};

Narrowing narrowing_of(PlannerInfo* root, RelOptInfo* rel, Content content, List* restrictions) {
    Narrowing found;
    ListCell* cell;
    foreach (cell, restrictions) {
        Qual qual;
        if (!recognize_qual(root, rel, content, lfirst_node(RestrictInfo, cell)->clause, &qual)) continue;
        if (qual.key == Key::kSession) found.session = true;
        if (qual.key == Key::kEntry && qual.comparison == Comparison::kEqual) found.entry = true;
        if (qual.key == Key::kEntry || qual.key == Key::kStartedAt) ++found.ranges;
    }
    return found;
}

struct Estimate {
    double rows;
    Cost startup;
    Cost total;
};

Estimate estimate(Content content, double journal_bytes, const Narrowing& narrowing, double selectivity) {
    double const all = content == Content::kStatement ? journal_bytes / kBytesPerRow
                       : content == Content::kSession ? journal_bytes / kBytesPerRow / kRowsPerSession
                                                      : journal_bytes / (64 << 20);
    double rows = std::max(1.0, all * selectivity);
    double share = 1;
    if (narrowing.entry) {
        rows = 1;
        share = 0;
    } else if (narrowing.session) {
        rows = content == Content::kStatement ? std::min(rows, kRowsPerSession) : 1;
        share = std::min(1.0, 10 * kBlockSize / std::max(journal_bytes, 1.0));
    } else if (narrowing.ranges > 0) {
        share = kRangeShare;
    }
    double const blocks = 1 + share * journal_bytes / kBlockSize;
    Cost const startup = 1 + journal_bytes / (64 << 20) * seq_page_cost * 10;  // the index of each segment
    return {clamp_row_est(rows), startup, startup + blocks * 8 * seq_page_cost + rows * cpu_tuple_cost};
}

double selectivity_of(PlannerInfo* root, RelOptInfo* rel, const Narrowing& narrowing) {
    double const guess = clauselist_selectivity(root, rel->baserestrictinfo, 0, JOIN_INNER, nullptr);
    return narrowing.ranges > 1 ? std::min(guess, kRangeShare) : guess;
}

}  // namespace

Content content_of(Oid foreign_table) {
    ListCell* cell;
    foreach (cell, GetForeignTable(foreign_table)->options) {
        auto* option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, "content") != 0) continue;
        if (auto const content = content_named(defGetString(option))) return *content;
    }
    ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
                    errmsg("foreign table \"%s\" has no option \"content\"", get_rel_name(foreign_table))));
}

}  // namespace hoopguard::sqlapi

using namespace hoopguard::sqlapi;

extern "C" {

void hoopguard_GetForeignRelSize(PlannerInfo* root, RelOptInfo* rel, Oid table) {
    Content const content = content_of(table);
    Narrowing const narrowing = narrowing_of(root, rel, content, rel->baserestrictinfo);
    rel->rows = estimate(content, hoopguard_journal_bytes(), narrowing, selectivity_of(root, rel, narrowing)).rows;
}

void hoopguard_GetForeignPaths(PlannerInfo* root, RelOptInfo* rel, Oid table) {
    Content const content = content_of(table);
    double const bytes = hoopguard_journal_bytes();
    Narrowing narrowing = narrowing_of(root, rel, content, rel->baserestrictinfo);
    Estimate const plain = estimate(content, bytes, narrowing, selectivity_of(root, rel, narrowing));
    add_path(rel, reinterpret_cast<Path*>(
                      make_foreign_path(root, rel, plain.rows, plain.startup, plain.total, rel->lateral_relids)));

    // A nested loop may look up each outer row's session or entry.
    ListCell* cell;
    List* tried = NIL;
    foreach (cell, join_equalities(root, rel, content)) {
        auto* restriction = lfirst_node(RestrictInfo, cell);
        Relids outer = bms_union(restriction->clause_relids, rel->lateral_relids);
        outer = bms_del_member(outer, rel->relid);
        if (bms_is_empty(outer)) continue;
        ParamPathInfo* info = get_baserel_parampathinfo(root, rel, outer);
        if (list_member_ptr(tried, info)) continue;
        tried = lappend(tried, info);
        narrowing = narrowing_of(root, rel, content, list_concat_copy(rel->baserestrictinfo, info->ppi_clauses));
        Estimate const narrowed = estimate(content, bytes, narrowing, 1);
        info->ppi_rows = std::min(info->ppi_rows, narrowed.rows);
        add_path(rel, reinterpret_cast<Path*>(
                          make_foreign_path(root, rel, info->ppi_rows, narrowed.startup, narrowed.total, outer)));
    }
}

ForeignScan* hoopguard_GetForeignPlan(PlannerInfo* root, RelOptInfo* rel, Oid table, ForeignPath* path,
                                      List* targets, List* clauses, Plan* outer) {
    Content const content = content_of(table);
    List* kept = extract_actual_clauses(clauses, false);
    List* keys = NIL;
    List* values = NIL;
    ListCell* cell;
    foreach (cell, kept) {
        Qual qual;
        if (!recognize_qual(root, rel, content, static_cast<Expr*>(lfirst(cell)), &qual)) continue;
        keys = lappend_int(keys, static_cast<int>(qual.key));
        keys = lappend_int(keys, qual.column);
        keys = lappend_int(keys, static_cast<int>(qual.comparison));
        values = lappend(values, qual.value);
    }

    Bitmapset* used = nullptr;
    pull_varattnos(reinterpret_cast<Node*>(rel->reltarget->exprs), rel->relid, &used);
    pull_varattnos(reinterpret_cast<Node*>(kept), rel->relid, &used);
    List* columns = NIL;
    bool const whole_row = bms_is_member(-FirstLowInvalidHeapAttributeNumber, used);
    for (int i = 0; i < columns_of(content).count; ++i)
        if (whole_row || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, used))
            columns = lappend_int(columns, i);

    List* details = list_make3(list_make1_int(static_cast<int>(content)), columns, keys);
    return make_foreignscan(targets, kept, rel->relid, values, details, NIL, NIL, outer);
}

}  // extern "C"
