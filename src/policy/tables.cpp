// What may stand in the columns of the policy tables.
#include "policy/tables.hpp"

#include "base/text.hpp"
#include "policy/schedule.hpp"
#include "policy/statement_class.hpp"

#include <algorithm>
#include <cmath>

namespace hoopguard::policy {

namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestClass = 63;
constexpr std::int64_t kMostApprovals = 100;

using Objections = std::optional<Objection>;

Objections object(std::string_view column, std::string_view value, std::string_view allowed) {
    return Objection{std::string(column), std::string(value), std::string(allowed)};
}

Objections check_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestName)
        return object("name", name, "a text of 1 to " + std::to_string(kLongestName) + " bytes");
    return {};
}

Objections check_words(std::string_view column, const std::optional<Words>& words, std::string_view what) {
    if (!words) return {};
    auto const allowed = std::string(what) + ", at least one; or NULL";
    if (words->empty()) return object(column, "{}", allowed);
    for (auto const& word : *words)
        if (word.empty()) return object(column, "", allowed);
    return {};
}

Objections check_classes(const Words& classes) {
    if (classes.empty()) return object("classes", "{}", allowed_classes());
    for (auto const& word : classes)
        if (!parse_class_term(word)) return object("classes", word, allowed_classes());
    return {};
}

bool counts_rows(const Words& classes) {
    auto const rows = parse_class_term("write")->classes | parse_class_term("read")->classes;
    return std::ranges::any_of(classes, [rows](const std::string& word) {
        auto const term = parse_class_term(word);
        return term && term->classes.meets(rows);
    });
}

Objections check_limits(const Guardrail& row) {
    if (row.max_rows && *row.max_rows < 0)
        return object("max_rows", std::to_string(*row.max_rows), "a number of rows, 0 or more; or NULL");
    if (row.max_rows && !counts_rows(row.classes))
        return object("max_rows", std::to_string(*row.max_rows),
                      "only with classes that have rows: read, write or what is below them, or *");
    if (row.per && (*row.per <= 0 || !row.max_rows))
        return object("per", std::to_string(*row.per) + " us",
                      "an interval above 0, together with max_rows; or NULL");
    if (row.max_duration && *row.max_duration <= 0)
        return object("max_duration", std::to_string(*row.max_duration) + " us", "an interval above 0; or NULL");
    if (row.max_cost && !(*row.max_cost >= 0 && std::isfinite(*row.max_cost)))
        return object("max_cost", std::to_string(*row.max_cost), "a finite planner cost of 0 or more; or NULL");
    if (row.min_approvals && (*row.min_approvals < 1 || *row.min_approvals > kMostApprovals))
        return object("min_approvals", std::to_string(*row.min_approvals),
                      "1 to " + std::to_string(kMostApprovals) + "; or NULL");
    if (row.wait && *row.wait < 0)
        return object("wait", std::to_string(*row.wait) + " us", "an interval of 0 or more; or NULL");
    return {};
}

Objections check_schedule(const std::optional<std::string>& text) {
    if (!text) return {};
    if (auto const schedule = Schedule::parse(*text); !schedule)
        return object("schedule", *text,
                      "days, times and a time zone such as Mon-Fri 09:00-18:00 Europe/Zurich; or NULL (" +
                          schedule.error().message + ")");
    return {};
}

// As labels and policies spell it: mask::is_class_name says the same of labels.
bool is_class_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > kLongestClass || name.front() < 'a' || name.front() > 'z') return false;
    return std::ranges::all_of(
        name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

std::optional<Action> parse_action(std::string_view text) noexcept {
    for (auto const action : {Action::kWarn, Action::kAsk, Action::kBlock})
        if (text == to_text(action)) return action;
    return std::nullopt;
}

std::optional<RuleMode> parse_rule_mode(std::string_view text) noexcept {
    for (auto const mode : {RuleMode::kEnforce, RuleMode::kObserve, RuleMode::kOff})
        if (text == to_text(mode)) return mode;
    return std::nullopt;
}

std::string_view to_text(Action action) noexcept {
    switch (action) {
        case Action::kWarn: return "warn";
        case Action::kAsk: return "ask";
        case Action::kBlock: break;
    }
    return "block";
}

std::string_view to_text(RuleMode mode) noexcept {
    switch (mode) {
        case RuleMode::kObserve: return "observe";
        case RuleMode::kOff: return "off";
        case RuleMode::kEnforce: break;
    }
    return "enforce";
}

std::optional<Objection> object_to(const Guardrail& row) {
    if (auto objection = check_name(row.name)) return objection;
    if (!parse_action(row.action)) return object("action", row.action, "warn, ask, block");
    if (!parse_rule_mode(row.mode)) return object("mode", row.mode, "enforce, observe, off");
    if (auto objection = check_classes(row.classes)) return objection;
    if (auto objection = check_words("roles", row.roles, "names of roles or group:NAME")) return objection;
    if (auto objection = check_words("except_roles", row.except_roles, "names of roles or group:NAME"))
        return objection;
    if (auto objection = check_words("databases", row.databases, "names or globs of databases")) return objection;
    if (auto objection = check_words("objects", row.objects, "names or globs such as public.orders, public.*"))
        return objection;
    if (auto objection = check_words("approvers", row.approvers, "names of roles or group:NAME")) return objection;
    if (auto objection = check_limits(row)) return objection;
    return check_schedule(row.schedule);
}

std::optional<Objection> object_to(const ActorRow& row) {
    if (auto objection = check_name(row.name)) return objection;
    if (row.kind != "human" && row.kind != "agent" && row.kind != "service")
        return object("kind", row.kind, "human, agent, service");
    if (row.provider && row.provider->empty())
        return object("provider", "", "the name of a provider; or NULL for a database role");
    return {};
}

std::optional<Objection> object_to(const LockRow& row) {
    if (auto objection = check_name(row.name)) return objection;
    if (row.reason.empty()) return object("reason", row.reason, "why the actor is locked, in a few words");
    return {};
}

std::optional<Objection> object_to(const Grant& row) {
    if (row.actor.empty()) return object("actor", "", "the name of an actor");
    if (!row.role && !row.classes && !row.unmask)
        return object("role", "NULL", "a role, classes, or data classes to unmask: at least one of them");
    if (row.role && row.role->empty()) return object("role", "", "the name of a role; or NULL");
    if (row.classes) {
        if (auto objection = check_classes(*row.classes)) return objection;
    } else if (row.objects) {
        return object("objects", row.objects->empty() ? "" : row.objects->front(), "NULL where classes are NULL");
    }
    if (auto objection = check_words("objects", row.objects, "names or globs such as public.orders, public.*"))
        return objection;
    if (auto objection = check_words("unmask", row.unmask, "names of data classes")) return objection;
    if (row.session && !base::parse_session(*row.session))
        return object("session_id", *row.session, "a session_id as hoopguard.session shows it; or NULL");
    if (!row.valid_until && !row.session)
        return object("valid_until", "NULL", "a time; NULL only for a grant of one session");
    return {};
}

std::optional<Objection> object_to(const DataClassRow& row) {
    if (!is_class_name(row.name))
        return object("name", row.name,
                      "a lower-case letter, then at most 62 lower-case letters, digits and underscores");
    return {};
}

std::optional<Objection> object_to(const MaskPolicyRow& row) {
    if (!is_class_name(row.data_class))
        return object("data_class", row.data_class, "a name in hoopguard.data_class, or unclassified");
    if (auto objection = check_words("roles", row.roles, "names of roles or group:NAME")) return objection;
    if (auto objection = check_words("except_roles", row.except_roles, "names of roles or group:NAME"))
        return objection;
    if (auto objection = check_words("databases", row.databases, "names or globs of databases")) return objection;
    return check_words("objects", row.objects, "names or globs such as public.orders, public.*");
}

}  // namespace hoopguard::policy
