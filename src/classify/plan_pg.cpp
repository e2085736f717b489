// Relations by the privileges that the statement needs on them, partitions by the nodes that scan or change them.
#include "classify/plan_pg.hpp"

#include "classify/analyzed_pg.hpp"
#include "classify/bounds_pg.hpp"
#include "classify/calls_pg.hpp"
#include "classify/functions_pg.hpp"
#include "classify/names_pg.hpp"
#include "classify/plan_walk_pg.hpp"
#include "classify/sensitive_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

// Writing a catalog by hand can do whatever the statements that usually do it can.
constexpr ClassSet kCatalogWrite =
    ClassSet(kDdlAlter) | kDdlDrop | kRole | kGrant | kPolicy | kDatabase | kCode | kConfig | kReplication;
constexpr AclMode kChanging = ACL_INSERT | ACL_UPDATE | ACL_DELETE;

ClassSet class_of(CmdType operation) {
    switch (operation) {
        case CMD_INSERT: return kWriteInsert;
        case CMD_UPDATE: return kWriteUpdate;
        case CMD_DELETE: return kWriteDelete;
        case CMD_MERGE: return kWriteMerge;
        default: return {};
    }
}

ClassSet classes_of(const ModifyTable& modify) {
    auto classes = class_of(modify.operation);
    if (modify.onConflictAction == ONCONFLICT_UPDATE) classes |= kWriteUpdate;
    for (int i = 0; i < list_length(modify.mergeActionLists); ++i) {
        auto const* const actions = static_cast<List*>(list_nth(modify.mergeActionLists, i));
        for (int j = 0; j < list_length(actions); ++j)
            classes |= class_of(static_cast<MergeAction*>(list_nth(actions, j))->commandType);
    }
    return classes;
}

}  // namespace

std::uint16_t privileges_of(AclMode required) noexcept {
    unsigned privileges = 0;
    if ((required & ACL_SELECT) != 0) privileges |= kSelect;
    if ((required & ACL_INSERT) != 0) privileges |= kInsert;
    if ((required & ACL_UPDATE) != 0) privileges |= kUpdate;
    if ((required & ACL_DELETE) != 0) privileges |= kDelete;
    return static_cast<std::uint16_t>(privileges);
}

namespace {

class PlanReader {
 public:
    PlanReader(const PlannedStmt* plan, FootprintBuilder& out) : plan_(plan), out_(out) {}

    [[gnu::hot]] void read() {
        pg::call([this] {
            gather(plan_, facts_);
            facts_.functions = noted_calls(plan_, facts_.functions);
            unbounded_ = unbounded_relations(plan_, bounds_judged_);
            for (int i = 0; i < pg::permission_count(plan_); ++i) {
                auto const [relation, required, selected] = pg::permission(plan_, i);
                if (selects_classified(relation, selected)) sensitive_ = bms_add_member(sensitive_, i);
            }
        });
        for (int i = 0; i < list_length(facts_.modifications); ++i)
            add_modification(*static_cast<ModifyTable*>(list_nth(facts_.modifications, i)));
        add_named();
        add_scans();
        add_bounds();
        add_functions();
        add_needs();
    }

    // Rows that the statement gives to whoever sent it, or puts elsewhere.
    double expected_to_be_read() const {
        if (!reads_estimable()) return 0;
        auto const* const top = plan_->planTree;
        bool const puts = IsA(top, ModifyTable) && top->lefttree != nullptr;
        return puts ? top->lefttree->plan_rows : top->plan_rows;
    }

 private:
    Oid relation_at(int index) const {
        auto const* const entry = static_cast<RangeTblEntry*>(list_nth(plan_->rtable, index - 1));
        return entry->rtekind == RTE_RELATION ? entry->relid : InvalidOid;
    }

    [[gnu::hot]] void add_relation(Oid relation, ClassSet classes, bool implied, double rows = 0) {
        if (!OidIsValid(relation) || classes.empty()) return;
        auto const& object = name_of_relation(relation);
        // The journal's own foreign tables read files of this server and go nowhere.
        if (object.kind == "foreign_table" && !object.name.starts_with("hoopguard.")) classes |= kEgress;
        bool const catalog = relation < FirstUnpinnedObjectId && !(classes - ClassSet(kRead)).empty();
        if (catalog && pg::call([relation] { return IsCatalogRelationOid(relation); })) classes |= kCatalogWrite;
        out_.add(classes, object.kind, object.name, implied, relation, rows);
    }

    // Of a table that was never analyzed the planner knows nothing: its rows are counted as they come. Partitions
    // are analyzed by themselves.
    bool has_estimate(const ModifyTable& modify) const {
        if (is_analyzed(relation_at(static_cast<int>(modify.nominalRelation)))) return true;
        for (int i = 0; i < list_length(modify.resultRelations); ++i)
            if (is_analyzed(relation_at(list_nth_int(modify.resultRelations, i)))) return true;
        return false;
    }

    double expected_rows(const ModifyTable& modify) const {
        auto const* const source = modify.plan.lefttree;
        if (source == nullptr || (modify.operation != CMD_INSERT && !has_estimate(modify))) return 0;
        return modify.operation == CMD_INSERT && !reads_estimable() ? 0 : source->plan_rows;
    }

    // Whether the planner knows every table that the statement reads; the one row of VALUES it always knows.
    bool reads_estimable() const {
        for (int index = -1; (index = bms_next_member(facts_.scanned, index)) >= 0;)
            if (!bms_is_member(index, changed_) && !is_analyzed(relation_at(index))) return false;
        return true;
    }

    [[gnu::noinline]] void add_modification(const ModifyTable& modify) {
        auto const classes = classes_of(modify);
        auto const named = static_cast<int>(modify.nominalRelation);
        changed_ = pg::call([this, &modify, named] {
            auto* members = bms_add_member(changed_, named);
            for (int i = 0; i < list_length(modify.resultRelations); ++i)
                members = bms_add_member(members, list_nth_int(modify.resultRelations, i));
            return members;
        });
        auto const returned = modify.returningLists != NIL ? ClassSet(kRead) : ClassSet();
        double const rows = expected_rows(modify);
        add_relation(relation_at(named), classes | returned, false, rows);
        for (int i = 0; i < list_length(modify.resultRelations); ++i) {
            int const index = list_nth_int(modify.resultRelations, i);
            if (index != named) add_relation(relation_at(index), classes | returned, true, rows);
        }
    }

    bool is_changed(Oid relation) const {
        for (int index = -1; (index = bms_next_member(changed_, index)) >= 0;)
            if (relation_at(index) == relation) return true;
        return false;
    }

    // What the statement names, views on the way included, by the privileges it needs.
    void add_named() {
        for (int i = 0; i < pg::permission_count(plan_); ++i) {
            auto const [relation, required, selected] = pg::permission(plan_, i);
            // Changing rows needs SELECT to find them, and that alone gives nothing out; FOR UPDATE changes none.
            bool const target = (required & kChanging) != 0 && is_changed(relation);
            if ((required & ACL_SELECT) != 0 && (!target || gives_out()))
                add_relation(relation,
                             (target ? ClassSet() : ClassSet(kRead)) |
                                 (bms_is_member(i, sensitive_) ? ClassSet(kReadSensitive) : ClassSet()),
                             false);
            if (facts_.modifications != NIL && !target)
                add_relation(relation, written_through(relation, required), false);
        }
    }

    // Whether rows that are changed are given out too.
    bool gives_out() const {
        for (int i = 0; i < list_length(facts_.modifications); ++i)
            if (static_cast<ModifyTable*>(list_nth(facts_.modifications, i))->returningLists != NIL) return true;
        return false;
    }

    // A view that rows are written through is no target of the plan.
    static ClassSet written_through(Oid relation, AclMode required) {
        if ((required & kChanging) == 0) return {};
        if (pg::call([relation] { return get_rel_relkind(relation); }) != RELKIND_VIEW) return {};
        ClassSet classes;
        if ((required & ACL_INSERT) != 0) classes |= kWriteInsert;
        if ((required & ACL_UPDATE) != 0) classes |= kWriteUpdate;
        if ((required & ACL_DELETE) != 0) classes |= kWriteDelete;
        return classes;
    }

    // What is scanned without being named: partitions and children.
    void add_scans() {
        for (int index = -1; (index = bms_next_member(facts_.scanned, index)) >= 0;)
            if (!bms_is_member(index, changed_)) add_relation(relation_at(index), kRead, true);
    }

    void add_bounds() {
        for (int i = 0; i < list_length(unbounded_); ++i)
            add_relation(list_nth_oid(unbounded_, i), kWriteUnbounded, false);
        // A plan that did not come by the planner hook: nothing says that it is bounded.
        for (int i = 0; !bounds_judged_ && i < list_length(facts_.modifications); ++i) {
            auto const& modify = *static_cast<ModifyTable*>(list_nth(facts_.modifications, i));
            if (modify.operation != CMD_INSERT)
                add_relation(relation_at(static_cast<int>(modify.nominalRelation)), kWriteUnbounded, false);
        }
    }

    void add_functions() {
        for (int i = 0; i < list_length(facts_.functions); ++i) {
            Oid const function = list_nth_oid(facts_.functions, i);
            auto const effect = effect_of_function(function);
            if (!effect.classes.empty()) out_.add(effect.classes);
            if (effect.sets_setting) add_setting_calls(function);
            if (effect.asks)
                out_.need_further(name_of_function(function), Need::on(kind_of_function(effect.kind), kExecute));
        }
    }

    // As the executor will ask for them: of the view's owner, where a view stands between.
    void add_needs() {
        for (int i = 0; i < pg::permission_count(plan_); ++i) {
            auto const [relation, required, selected] = pg::permission(plan_, i);
            auto const privileges = privileges_of(required);
            if (!OidIsValid(relation) || privileges == 0) continue;
            Oid const role = pg::permission_role(plan_, i);
            if (out_.need(relation, privileges, role)) continue;
            auto const kind = name_of_relation(relation).kind;
            out_.need_further(quoted_relation(relation), Need::on(kind, privileges, role));
        }
        for (int i = 0; i < list_length(facts_.sequence_calls); ++i) {
            auto const* const call = static_cast<FuncExpr*>(list_nth(facts_.sequence_calls, i));
            auto const* const sequence = static_cast<Const*>(linitial(call->args));
            if (!IsA(sequence, Const) || sequence->constisnull) continue;
            out_.need_further(quoted_relation(DatumGetObjectId(sequence->constvalue)),
                              Need::on("sequence", privileges_on_sequence(call->funcid)));
        }
    }

    // A call that was not gathered as one takes its name in a form that cannot be read here: it may set anything.
    void add_setting_calls(Oid function) {
        bool read = false;
        for (int i = 0; i < list_length(facts_.setting_calls); ++i) {
            auto const* const call = static_cast<FuncExpr*>(list_nth(facts_.setting_calls, i));
            if (call->funcid != function) continue;
            out_.add(class_of_setting(static_cast<Node*>(linitial(call->args))));
            read = true;
        }
        if (!read) out_.add(kConfig);
    }

    // A name that is known only when it runs may be any.
    static ClassSet class_of_setting(Node* name) {
        if (!IsA(name, Const)) return kConfig;
        auto const* const constant = reinterpret_cast<Const*>(name);
        if (constant->constisnull) return {};
        auto const* const name_text = pg::call([constant] { return TextDatumGetCString(constant->constvalue); });
        if (pg_strcasecmp(name_text, "role") == 0 || pg_strcasecmp(name_text, "session_authorization") == 0)
            return kSession;
        return is_protected_setting(name_text) ? ClassSet(kConfig) : ClassSet();
    }

    const PlannedStmt* plan_;
    FootprintBuilder& out_;
    PlanFacts facts_;
    List* unbounded_ = NIL;           // OIDs
    bool bounds_judged_ = false;      // by the planner hook
    Bitmapset* sensitive_ = nullptr;  // permissions by their number, that select a classified column
    Bitmapset* changed_ = nullptr;
};

bool protected_set = false;

}  // namespace

[[gnu::hot]] void note_expression(const PlannedStmt* plan) {
    if (protected_set || plan->commandType != CMD_SELECT || !IsA(plan->planTree, Result)) return;
    Footprint footprint;
    FootprintBuilder out(footprint);
    PlanReader(plan, out).read();
    protected_set = footprint.classes.has(kConfig);
}

bool any_expression_sets_protected() noexcept {
    return protected_set;
}

[[gnu::hot]] double classify_plan(const PlannedStmt* plan, FootprintBuilder& out) {
    PlanReader reader(plan, out);
    reader.read();
    return reader.expected_to_be_read();
}

}  // namespace hoopguard::classify
