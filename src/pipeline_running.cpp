// What is known of running statements stands in a list by their numbers, which rise: an error leaves behind what
// it ended, and the next statement of the client clears that.
#include "pipeline_running.hpp"

#include "classify/acts_pg.hpp"
#include "classify/functions_pg.hpp"
#include "decide/deadline_pg.hpp"
#include "decide/decide_pg.hpp"
#include "decide/meter_pg.hpp"
#include "decide/row_watch_pg.hpp"
#include "identify/session_pg.hpp"
#include "pipeline.hpp"
#include "record/outcome_pg.hpp"
#include "record/statements_pg.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hoopguard::running {

namespace {

using decide::Decision;
using decide::Limit;
using decide::Verdict;
using policy::ClassSet;
using policy::StatementClass;

// A statement that is watched while it runs: one with limits, and every utility that drops or truncates.
struct Watched {
    std::uint64_t number = 0;
    const QueryDesc* query = nullptr;  // none: a utility
    bool approved = false;             // a person did: no guardrail that asks is met again
    std::string met;                   // the guardrail that spoke when it was admitted
    std::vector<Limit> limits;
    std::vector<classify::ObjectName> named;
    std::vector<classify::DroppedObject> dropped;
    classify::Statement statement;  // borrowed, and valid while it runs
};

std::vector<Watched>& watched() {
    static std::vector<Watched> all;
    return all;
}

bool anything_watched = false;  // watched() is not empty

// The statement whose plan was judged last, while the executor sets it up: its functions were seen.
std::uint64_t starting = 0;
ClassSet starting_classes;

Watched* find_running() {
    if (!anything_watched) return nullptr;
    auto& all = watched();
    auto const number = record::running_statement();
    for (auto at = all.size(); at-- > 0;)
        if (all[at].number == number) return &all[at];
    return nullptr;
}

bool takes_others_along(const classify::Statement& statement, const classify::Footprint& footprint) {
    return statement.is_utility() &&
           footprint.classes.meets(ClassSet(StatementClass::kDdlDrop) | StatementClass::kDdlAlter |
                                   StatementClass::kWriteTruncate);
}

void decided(Decision decision, Watched* statement) {
    if (decision.verdict == Verdict::kAllow) return;
    if (statement != nullptr && statement->approved && decision.verdict == Verdict::kAsk) return;
    // Met already, and told.
    if (statement != nullptr && !decision.refuses() && statement->met == decision.guardrail) return;
    decision.late = true;
    if (decision.asks() && statement != nullptr) {
        consult_late(statement->statement, decision);
        statement->approved = decision.approved();
        if (statement->approved) return;
    }
    record::decided_late(decision);
    pronounce(decision);
}

void passed(const Limit& limit) {
    auto decision = limit.decision;
    decision.reason += ": more than " + std::to_string(limit.max_rows) + " rows";
    if (decision.enforced && decision.verdict == Verdict::kWarn) {
        decision.warning = decision.message;
        decision.warning_from = decision.guardrail;
    }
    auto* const statement = decision.asks() ? find_running() : nullptr;
    decided(std::move(decision), statement);
}

void took_long(std::uint64_t number, const Limit& limit) {
    auto const& decision = limit.decision;
    record::note_late(number, static_cast<std::uint8_t>(decision.verdict), decision.enforced, decision.guardrail);
    if (!decision.enforced) return;
    auto told = decision;
    told.warning = decision.message;
    told.warning_from = decision.guardrail;
    pronounce(told);
}

void judge(const classify::Footprint& footprint) {
    if (footprint.classes.empty()) return;
    decided(decide::decide(identify::current_actor(), footprint), find_running());
}

// Commands without a class end transactions; they take no time of their own and may read no catalog.
bool may_have_limits(const classify::Statement& statement, const classify::Footprint& footprint,
                     const Decision& decision) {
    return decision.limited && (statement.query != nullptr || !footprint.classes.empty());
}

[[gnu::noinline]] void watch_from_now(const classify::Statement& statement, std::uint64_t number,
                                      const identify::Actor& actor, const classify::Footprint& footprint,
                                      const Decision& decision) {
    auto limits =
        may_have_limits(statement, footprint, decision) ? decide::limits(actor, footprint) : std::vector<Limit>();
    bool const utility = takes_others_along(statement, footprint);
    if (limits.empty() && !utility) return;
    bool const approved = decision.approved();
    if (approved)
        std::erase_if(limits, [](const Limit& limit) { return limit.decision.verdict == Verdict::kAsk; });
    decide::begin_time(number, statement.query, limits, took_long);
    auto& all = watched();
    anything_watched = true;
    all.push_back({number, statement.query, approved, decision.guardrail, std::move(limits), {}, {}, statement});
    if (utility) all.back().named = footprint.objects;
}

}  // namespace

[[gnu::hot]] void admitted(const classify::Statement& statement, std::uint64_t number,
                           const identify::Actor& actor, const classify::Footprint& footprint,
                           const Decision& decision) {
    if (!statement.nested) {
        if (anything_watched) watched().clear();
        anything_watched = false;
        decide::forget_times();
    }
    starting = statement.query != nullptr ? number : 0;
    starting_classes = footprint.classes;
    if (may_have_limits(statement, footprint, decision) || takes_others_along(statement, footprint))
        watch_from_now(statement, number, actor, footprint, decision);
}

[[gnu::hot]] bool any_watched() noexcept {
    return anything_watched;
}

void set_up() noexcept {
    starting = 0;
}

void watch(QueryDesc* query) {
    auto& all = watched();
    if (all.empty() || all.back().query != query) return;
    auto const limits = std::move(all.back().limits);
    all.back().limits.clear();
    decide::watch_rows(query, limits, identify::current_actor(), passed);
    decide::pause_time(query);
}

void resume(QueryDesc* query) {
    decide::resume_time(query);
}

void pause(QueryDesc* query) {
    decide::pause_time(query);
}

void settle(QueryDesc* query) {
    decide::settle_rows(query);
}

void ended(QueryDesc* query) {
    decide::end_time(query);
}

void note_halt() noexcept {
    auto const over = decide::overdue();
    if (over.limit == nullptr) return;
    auto const& decision = over.limit->decision;
    record::note_late(over.statement, static_cast<std::uint8_t>(decision.verdict), decision.enforced,
                      decision.guardrail);
}

void settle_utility(std::uint64_t rows) {
    auto const* const statement = find_running();
    if (statement == nullptr) return;
    if (!statement->dropped.empty()) {
        auto const beyond = classify::dropped_beyond(statement->dropped, statement->named);
        judge(beyond);
    }
    for (auto const& limit : statement->limits) {
        if (!limit.has_rows() || rows == 0) continue;
        auto const what = limit.writes ? decide::Counted::kChanged : decide::Counted::kRead;
        auto const key = decide::count_key(limit, identify::current_actor(), what);
        if (decide::count_rows(limit, key, what, rows)) passed(limit);
    }
    decide::end_time(statement->number);
}

void drop(Oid catalog, Oid object, int part) {
    if (!record::is_running()) return;
    auto* const statement = find_running();
    auto dropped = classify::dropped_object(catalog, object, part);
    if (!dropped) return;
    if (statement != nullptr && statement->query == nullptr)
        statement->dropped.push_back(std::move(*dropped));
    else
        judge(classify::dropped_beyond({*dropped}, {}));
}

void truncate(Oid relation) {
    if (!record::is_running()) return;
    auto const footprint = classify::truncated(relation);
    auto const* const statement = find_running();
    if (statement != nullptr)
        for (auto const& object : statement->named)
            if (object.name == footprint.objects.front().name) return;
    judge(footprint);
}

void execute(Oid function) {
    auto const effect = classify::effect_of_function(function);
    if (effect.classes.empty() && !effect.sets_setting) return;
    if (!record::is_running()) return;
    bool const in_plan = record::running_statement() == starting;
    auto const footprint = classify::executed(function, in_plan);
    if (in_plan && (footprint.classes - starting_classes).empty()) return;
    judge(footprint);
}

}  // namespace hoopguard::running
