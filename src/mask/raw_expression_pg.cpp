// Raw values in a plan's expressions.
#include "mask/mask_call_pg.hpp"
#include "mask/raw_flow_pg.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "nodes/bitmapset.h"
}

namespace hoopguard::mask {

namespace {

struct Uses {
    const Inputs* inputs;
    Flow* flow;
    bool masked;  // below a mask: raw values are read, not shown
    bool noting;  // false: only asking
    bool found;
};

void note_breach(Flow& flow, Oid relation, AttrNumber column) {
    if (OidIsValid(flow.breach_relation)) return;
    flow.breach_relation = relation;
    flow.breach_column = column;
}

// A breach by way of a column or parameter whose origin lies further down.
void note_breach(Flow& flow) {
    for (Index i = 1; i <= flow.entries; ++i)
        if (flow.columns[i] != nullptr)
            return note_breach(flow, flow.columns[i]->relation, flow.columns[i]->columns[0].number);
}

const MaskedColumns* columns_of(const Var* var, const Flow& flow) {
    if (var->varno < 1 || static_cast<Index>(var->varno) > flow.entries) return nullptr;
    const MaskedColumns* columns = flow.columns[var->varno];
    if (columns == nullptr || var->varattno < 0) return nullptr;
    return var->varattno == 0 || columns->find(var->varattno) != nullptr ? columns : nullptr;
}

bool is_raw_var(const Var* var, const Inputs& inputs, const Flow& flow) {
    switch (var->varno) {
        case OUTER_VAR: return bms_is_member(var->varattno, inputs.outer);
        case INNER_VAR: return bms_is_member(var->varattno, inputs.inner);
        case INDEX_VAR: return bms_is_member(var->varattno, inputs.index);
        default: break;
    }
    if (inputs.scan != 0 && static_cast<Index>(var->varno) == inputs.scan)
        return var->varattno == 0 ? !bms_is_empty(inputs.scanned) : bms_is_member(var->varattno, inputs.scanned);
    return columns_of(var, flow) != nullptr;
}

bool is_raw_parameter(const Param* parameter, const Flow& flow) {
    return parameter->paramkind == PARAM_EXEC && bms_is_member(parameter->paramid, flow.raw_parameters);
}

void note_read(const Var* var, Flow& flow) {
    const MaskedColumns* columns = columns_of(var, flow);
    if (columns == nullptr) return;
    for (int i = 0; i < columns->count; ++i)
        if (var->varattno == 0 || columns->columns[i].number == var->varattno)
            flow.read[var->varno] = bms_add_member(flow.read[var->varno], columns->columns[i].number);
}

// Relabelling and a child's row as its parent's change no value.
Node* without_dressing(Node* node) {
    for (;;) {
        if (IsA(node, RelabelType))
            node = pg::as_node(castNode(RelabelType, node)->arg);
        else if (IsA(node, ConvertRowtypeExpr))
            node = pg::as_node(castNode(ConvertRowtypeExpr, node)->arg);
        else
            return node;
    }
}

void follow_subplan(const SubPlan* link, const Inputs& inputs, Flow& flow) {
    ListCell *parameter, *value;
    forboth(parameter, link->parParam, value, link->args)
        pass_parameter(lfirst_int(parameter), static_cast<Node*>(lfirst(value)), inputs, flow);
    flow.followed = bms_add_member(flow.followed, link->plan_id);
    auto* plan = static_cast<Plan*>(list_nth(flow.plan->subplans, link->plan_id - 1));
    if (plan == nullptr) return;
    check_outputs(plan->targetlist, follow_node(plan, flow), flow);
}

bool walk(Node* node, void* context) {
    auto* uses = static_cast<Uses*>(context);
    if (node == nullptr) return false;
    if (IsA(node, Var) || IsA(node, Param)) {
        bool const raw = IsA(node, Var) ? is_raw_var(castNode(Var, node), *uses->inputs, *uses->flow)
                                        : is_raw_parameter(castNode(Param, node), *uses->flow);
        if (!raw) return false;
        uses->found = true;
        if (!uses->noting) return false;
        if (uses->masked) {
            if (IsA(node, Var)) note_read(castNode(Var, node), *uses->flow);
        } else if (IsA(node, Var) && columns_of(castNode(Var, node), *uses->flow) != nullptr) {
            const MaskedColumns* columns = columns_of(castNode(Var, node), *uses->flow);
            AttrNumber const number = castNode(Var, node)->varattno;
            note_breach(*uses->flow, columns->relation, number != 0 ? number : columns->columns[0].number);
        } else {
            note_breach(*uses->flow);
        }
        return false;
    }
    if (IsA(node, FuncExpr)) {
        CallKind const kind = kind_of(castNode(FuncExpr, node));
        if (kind == CallKind::kPass) return false;
        if (kind == CallKind::kMask) {
            bool const outer = uses->masked;
            uses->masked = true;
            pg::walk_expression(node, walk, context);
            uses->masked = outer;
            return false;
        }
    }
    if (IsA(node, SubPlan) && uses->noting) {
        auto* link = castNode(SubPlan, node);
        walk(link->testexpr, context);
        follow_subplan(link, *uses->inputs, *uses->flow);
        return false;
    }
    return pg::walk_expression(node, walk, context);
}

}  // namespace

void check_uses(void* expression, const Inputs& inputs, Flow& flow) {
    Uses uses = {&inputs, &flow, false, true, false};
    walk(static_cast<Node*>(expression), &uses);
}

bool is_raw(Node* node, const Inputs& inputs, Flow& flow) {
    node = without_dressing(node);
    if (IsA(node, Param)) return is_raw_parameter(castNode(Param, node), flow);
    return IsA(node, Var) && is_raw_var(castNode(Var, node), inputs, flow);
}

Bitmapset* raw_targets(List* targets, const Inputs& inputs, Flow& flow) {
    Bitmapset* raw = nullptr;
    ListCell* cell;
    foreach (cell, targets) {
        auto* target = lfirst_node(TargetEntry, cell);
        Node* value = pg::as_node(target->expr);
        if (value == nullptr) continue;
        if (!is_raw(value, inputs, flow)) {
            check_uses(value, inputs, flow);
            continue;
        }
        raw = bms_add_member(raw, target->resno);
        value = without_dressing(value);
        // Rows kept for EvalPlanQual are junk that nothing reads.
        bool const kept_row = target->resjunk && IsA(value, Var) && castNode(Var, value)->varattno == 0;
        if (IsA(value, Var) && !kept_row) note_read(castNode(Var, value), flow);
    }
    return raw;
}

Bitmapset* tainted_targets(List* targets, const Inputs& inputs, Flow& flow) {
    Bitmapset* tainted = nullptr;
    ListCell* cell;
    foreach (cell, targets) {
        auto* target = lfirst_node(TargetEntry, cell);
        Uses uses = {&inputs, &flow, false, false, false};
        walk(pg::as_node(target->expr), &uses);
        if (uses.found) tainted = bms_add_member(tainted, target->resno);
    }
    return tainted;
}

void check_columns(const AttrNumber* numbers, int count, const Bitmapset* raw, Flow& flow) {
    for (int i = 0; i < count; ++i)
        if (bms_is_member(numbers[i], raw)) note_breach(flow);
}

void check_outputs(List* targets, const Bitmapset* raw, Flow& flow) {
    ListCell* cell;
    foreach (cell, targets) {
        auto* target = lfirst_node(TargetEntry, cell);
        if (!target->resjunk && bms_is_member(target->resno, raw)) note_breach(flow);
    }
}

void pass_parameter(int parameter, Node* value, const Inputs& inputs, Flow& flow) {
    if (is_raw(value, inputs, flow))
        flow.raw_parameters = bms_add_member(flow.raw_parameters, parameter);
    else
        check_uses(value, inputs, flow);
}

}  // namespace hoopguard::mask
