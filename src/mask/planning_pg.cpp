// Indexes and statistics during planning.
#include "mask/planning_pg.hpp"

#include "mask/in_force_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace hoopguard::mask {

namespace {

struct Search {
    const MaskedColumns* columns;
};

bool finds_masked(Node* node, void* context) {
    if (node == nullptr) return false;
    if (IsA(node, Var)) {
        AttrNumber const number = castNode(Var, node)->varattno;
        return number == 0 || static_cast<Search*>(context)->columns->find(number) != nullptr;
    }
    return pg::walk_expression(node, finds_masked, context);
}

bool is_sorted_by(const IndexOptInfo* index, const MaskedColumns* columns) {
    for (int i = 0; i < index->nkeycolumns; ++i)
        if (index->indexkeys[i] > 0 && columns->find(static_cast<AttrNumber>(index->indexkeys[i])) != nullptr)
            return true;
    Search search = {columns};
    return finds_masked(pg::as_node(index->indexprs), &search);
}

}  // namespace

void hide_order(Oid relation, RelOptInfo* planned) {
    const MaskedColumns* columns = masked_columns(relation);
    if (columns == nullptr) return;
    ListCell* cell;
    foreach (cell, planned->indexlist) {
        auto* index = lfirst_node(IndexOptInfo, cell);
        if (is_sorted_by(index, columns)) index->amhasgettuple = false;
    }
}

bool hides_statistics(Oid relation, AttrNumber column) {
    const MaskedColumns* columns = masked_columns(relation);
    return columns != nullptr && columns->find(column) != nullptr;
}

}  // namespace hoopguard::mask
