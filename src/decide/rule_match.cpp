// Classes, objects, time, and what the planner expects.
#include "decide/rule_match.hpp"

#include "decide/names.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hoopguard::decide {

using policy::ClassSet;
using policy::GuardrailField;
using policy::Row;
using policy::StatementClass;

namespace {

constexpr ClassSet kChanging = ClassSet(StatementClass::kWriteInsert) | StatementClass::kWriteUpdate |
                               StatementClass::kWriteDelete | StatementClass::kWriteMerge |
                               StatementClass::kWriteTruncate | StatementClass::kWriteUnbounded;
constexpr ClassSet kReading = ClassSet(StatementClass::kRead) | StatementClass::kReadSensitive;

// The classes among `met` that the rule covers for an object of this kind.
ClassSet covered_classes(const Row& rule, ClassSet met, std::string_view kind) {
    ClassSet covered = met & ClassSet(rule.word(GuardrailField::kPlain));
    if (covered == met) return covered;
    for (auto const word : rule.texts(GuardrailField::kClasses)) {
        auto const term = policy::parse_class_term(word);
        if (term && !term->kind.empty() && term->kind == kind) covered |= met & term->classes;
    }
    return covered;
}

bool is_scheduled(const Row& rule, const Clock& clock) {
    if (rule.is_null(GuardrailField::kSchedule)) return true;
    auto const schedule = policy::Schedule::parse(rule.text(GuardrailField::kSchedule));
    if (!schedule) return true;
    auto const now = clock.in_zone(schedule->zone());
    return !now || schedule->in_force(*now);
}

std::string count_text(double count) {
    if (std::isinf(count)) return "all";
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", count);
    return text;
}

// Rows that the statement is expected to change in what the rule concerns. Named tables add up; a partition and a
// view stand for rows of a named table.
double changed_rows(const Concern& concern, const classify::Footprint& footprint) {
    double named = 0;
    double otherwise = 0;
    for (auto const& part : concern.objects) {
        auto const& object = footprint.objects[part.object];
        if (!part.classes.meets(kChanging)) continue;
        if (object.implied || object.kind == "view")
            otherwise = std::max(otherwise, object.rows);
        else
            named += object.rows;
    }
    return std::max(named, otherwise);
}

double expected_rows(const Concern& concern, const classify::Footprint& footprint) {
    double const changed = concern.classes.meets(kChanging) ? changed_rows(concern, footprint) : 0;
    return concern.classes.meets(kReading) ? std::max(changed, footprint.rows_read) : changed;
}

}  // namespace

bool has_row_limit(const Row& rule) {
    return rule.word(GuardrailField::kMaxRows) != policy::kUnlimited;
}

bool has_duration_limit(const Row& rule) {
    return rule.word(GuardrailField::kMaxDuration) != 0;
}

std::optional<Concern> concern_of(const Row& rule, const classify::Footprint& footprint, const Clock& clock) {
    ClassSet const reach(rule.word(GuardrailField::kReach));
    if (!footprint.classes.meets(reach)) return std::nullopt;
    auto const patterns = rule.texts(GuardrailField::kObjects);
    Concern concern;
    for (std::uint32_t at = 0; at < footprint.objects.size(); ++at) {
        auto const& object = footprint.objects[at];
        auto const met = object.classes & reach;
        if (met.empty() || !names_any(patterns, object.name)) continue;
        auto const covered = covered_classes(rule, met, object.kind);
        if (covered.empty()) continue;
        concern.classes |= covered;
        concern.objects.push_back({at, covered});
    }
    if (concern.objects.empty() && patterns.is_null())
        concern.classes = footprint.classes & ClassSet(rule.word(GuardrailField::kPlain));
    // The clock is read last: few rules have a schedule.
    if (concern.classes.empty() || !is_scheduled(rule, clock)) return std::nullopt;
    return concern;
}

std::optional<Concern> concern_of_all(const Row& rule, const Clock& clock) {
    if (!is_scheduled(rule, clock)) return std::nullopt;
    return Concern{ClassSet(rule.word(GuardrailField::kPlain)), {}};
}

Passed passes_limits(const Row& rule, const Concern& concern, const classify::Footprint& footprint) {
    auto const max_cost = rule.real(GuardrailField::kMaxCost);
    bool const limited = has_row_limit(rule) || has_duration_limit(rule) || !std::isnan(max_cost);
    if (!limited) return {true, {}};
    if (has_row_limit(rule)) {
        auto const most = rule.word(GuardrailField::kMaxRows);
        auto const rows = expected_rows(concern, footprint);
        if (rows > static_cast<double>(most))
            return {true, count_text(rows) + " rows expected, at most " + std::to_string(most) + " allowed"};
    }
    if (!std::isnan(max_cost) && footprint.cost > max_cost)
        return {true,
                "cost " + count_text(footprint.cost) + " expected, at most " + count_text(max_cost) + " allowed"};
    return {};
}

std::string reason_of(const Concern& concern, const classify::Footprint& footprint) {
    bool const any = !concern.objects.empty();
    auto const* const object = any ? &footprint.objects[concern.objects.front().object] : nullptr;
    auto const classes = any ? concern.objects.front().classes : concern.classes;
    std::string text;
    for (auto const name : policy::names_of(classes)) text.append(text.empty() ? "" : ", ").append(name);
    if (object == nullptr) return text;
    text.append(" of ").append(object->kind);
    // A cast, a large object: not everything has a name.
    return object->name.empty() ? text : text.append(" ").append(object->name);
}

}  // namespace hoopguard::decide
