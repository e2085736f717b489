// Rows that a statement's own tag counts (es_processed) are counted when they have been changed; those of a CTE,
// which PostgreSQL does not count, when they reach the node that changes them.
#include "decide/row_watch_pg.hpp"

#include "decide/meter_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/memory.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>

extern "C" {
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "parser/parsetree.h"
}

namespace hoopguard::decide {

namespace {

struct CountedLimit {
    Limit limit;
    CountKey key;
    Counted what;
    bool told = false;
};

struct NodeWatch {
    ExecProcNodeMtd next = nullptr;  // what gives the row
    const EState* state = nullptr;
    OnPassed on_passed = nullptr;
    bool by_tag = false;     // changed rows are those that the statement's tag counts …
    std::uint64_t seen = 0;  // … so many of them so far
    std::vector<CountedLimit> limits;
};

using Watches = std::unordered_map<const PlanState*, std::unique_ptr<NodeWatch>>;

Watches& watches() {
    static Watches all;
    return all;
}

// Lives in the query's memory, and takes its watches along.
class Forgetter {
 public:
    explicit Forgetter(const EState* state) noexcept : state_(state) {}
    ~Forgetter() {
        std::erase_if(watches(), [this](auto const& watch) { return watch.second->state == state_; });
    }

 private:
    const EState* state_;
};

void count(NodeWatch& watch, Counted what, std::uint64_t rows) {
    for (auto& one : watch.limits) {
        if (one.what != what || !count_rows(one.limit, one.key, what, rows) || one.told) continue;
        // One that refuses may be met again: the error could have been caught.
        one.told = !one.limit.decision.refuses();
        watch.on_passed(one.limit);
    }
}

void count_changed(NodeWatch& watch) {
    auto const processed = watch.state->es_processed;
    // Begins anew with every run.
    if (processed < watch.seen) watch.seen = 0;
    auto const rows = processed - watch.seen;
    watch.seen = processed;
    if (rows > 0) count(watch, Counted::kChanged, rows);
}

void count_given(NodeWatch& watch) {
    count(watch, Counted::kRead, 1);
    if (!watch.by_tag) count(watch, Counted::kChanged, 1);
}

bool concerns(const Limit& limit, const ModifyTableState& modify, const EState& state) {
    if (limit.all_relations) return true;
    auto const& plan = *reinterpret_cast<ModifyTable*>(modify.ps.plan);
    auto const is_named = [&](Index index) {
        auto const* const entry = exec_rt_fetch(index, const_cast<EState*>(&state));
        return std::ranges::find(limit.relations, entry->relid) != limit.relations.end();
    };
    if (is_named(plan.nominalRelation)) return true;
    for (int i = 0; i < list_length(plan.resultRelations); ++i)
        if (is_named(static_cast<Index>(list_nth_int(plan.resultRelations, i)))) return true;
    return false;
}

}  // namespace

extern "C" {

static TupleTableSlot* hoopguard_counted_row(PlanState* node) {
    NodeWatch* const watch = pg::entry(pg::Door::kGate, "row count", [node] {
        auto* const found = watches().at(node).get();
        if (found->by_tag) count_changed(*found);
        return found;
    });
    TupleTableSlot* const slot = watch->next(node);
    if (!TupIsNull(slot)) pg::entry(pg::Door::kGate, "row count", [watch] { count_given(*watch); });
    return slot;
}

}  // extern "C"

namespace {

class QueryWatcher {
 public:
    QueryWatcher(QueryDesc* query, const identify::Actor& actor, OnPassed on_passed)
        : state_(query->estate), top_(query->planstate), actor_(actor), on_passed_(on_passed) {}

    void watch(const std::vector<Limit>& limits) {
        for (auto const& limit : limits) {
            if (!limit.has_rows()) continue;
            if (limit.writes) watch_changes(limit);
            if (limit.reads) watch_reads(limit);
        }
    }

 private:
    static bool is_modify(const PlanState* node) { return IsA(node, ModifyTableState); }

    void watch_changes(const Limit& limit) {
        if (is_modify(top_)) watch_changes(limit, top_);
        for (int i = 0; i < list_length(state_->es_auxmodifytables); ++i)
            watch_changes(limit, static_cast<PlanState*>(list_nth(state_->es_auxmodifytables, i)));
    }

    void watch_changes(const Limit& limit, PlanState* node) {
        auto const& modify = *reinterpret_cast<ModifyTableState*>(node);
        auto* const source = outerPlanState(node);
        if (source == nullptr || !concerns(limit, modify, *state_)) return;
        add(source, limit, Counted::kChanged).by_tag = modify.canSetTag;
    }

    void watch_reads(const Limit& limit) {
        bool const puts = is_modify(top_) && reinterpret_cast<ModifyTable*>(top_->plan)->returningLists == NIL;
        auto* const node = puts ? outerPlanState(top_) : top_;
        if (node != nullptr) add(node, limit, Counted::kRead);
    }

    NodeWatch& add(PlanState* node, const Limit& limit, Counted what) {
        auto& all = watches();
        auto found = all.find(node);
        if (found == all.end()) {
            if (!owned_) pg::make_in<Forgetter>(state_->es_query_cxt, state_);
            owned_ = true;
            found = all.emplace(node, std::make_unique<NodeWatch>()).first;
            found->second->state = state_;
            found->second->on_passed = on_passed_;
            found->second->next = node->ExecProcNodeReal;
            // Called by way of ExecProcNode, which may put instrumentation before it.
            node->ExecProcNodeReal = hoopguard_counted_row;
        }
        found->second->limits.push_back({limit, count_key(limit, actor_, what), what});
        return *found->second;
    }

    EState* state_;
    PlanState* top_;
    const identify::Actor& actor_;
    OnPassed on_passed_;
    bool owned_ = false;
};

}  // namespace

void watch_rows(QueryDesc* query, const std::vector<Limit>& limits, const identify::Actor& actor,
                OnPassed on_passed) {
    if (query->planstate != nullptr) QueryWatcher(query, actor, on_passed).watch(limits);
}

void settle_rows(const QueryDesc* query) {
    if (watches().empty() || query->planstate == nullptr || outerPlanState(query->planstate) == nullptr) return;
    auto const found = watches().find(outerPlanState(query->planstate));
    if (found != watches().end() && found->second->by_tag) count_changed(*found->second);
}

}  // namespace hoopguard::decide
