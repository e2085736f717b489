// Choosing the rules for a speaker and matching them.
#include "decide/guardrails.hpp"

#include "policy/glob.hpp"
#include "policy/tables.hpp"

#include <algorithm>

namespace hoopguard::decide {

using policy::ClassSet;
using policy::GuardrailField;
using policy::RoleIndexField;
using policy::Row;
using policy::Section;
using policy::SectionId;

namespace {

bool any_of_roles(const policy::TextList& wanted, const std::vector<std::string>& held) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](std::string_view role) { return std::ranges::binary_search(held, role); });
}

// Whether the rule covers this speaker at all.
bool covers(const Row& rule, const Speaker& speaker) {
    if (rule.is_null(GuardrailField::kRoles) && speaker.system) return false;
    auto const excepted = rule.texts(GuardrailField::kExceptRoles);
    if (!excepted.is_null() && any_of_roles(excepted, speaker.login_roles) &&
        any_of_roles(excepted, speaker.effective_roles) &&
        (speaker.outer_roles.empty() || any_of_roles(excepted, speaker.outer_roles)))
        return false;
    auto const databases = rule.texts(GuardrailField::kDatabases);
    return databases.is_null() || std::any_of(databases.begin(), databases.end(), [&](std::string_view pattern) {
               return policy::glob_matches(pattern, speaker.database);
           });
}

std::string message_of(const Row& rule) {
    if (!rule.text(GuardrailField::kMessage).empty()) return std::string(rule.text(GuardrailField::kMessage));
    auto const quoted = "guardrail \"" + std::string(rule.text(GuardrailField::kName)) + "\"";
    switch (static_cast<Verdict>(rule.word(GuardrailField::kAction))) {
        case Verdict::kWarn: return "statement meets " + quoted;
        case Verdict::kAsk: return "statement needs the approval of a person: " + quoted;
        default: return "statement is blocked by " + quoted;
    }
}

std::string hint_of(Verdict verdict) {
    if (verdict == Verdict::kBlock)
        return "If the statement is needed, ask a member of hoopguard_admin to except you from the guardrail.";
    return {};
}

std::string hint_at_leave(policy::ClassSet classes) {
    std::string names;
    for (auto const name : policy::names_of(classes)) names.append(names.empty() ? "" : ",").append(name);
    return "Have it approved before it runs: SELECT hoopguard.request_access(classes => '{" +
           (names.empty() ? "*" : names) + "}', reason => '...'); then send it again.";
}

// All that a decision has from the rule alone.
void take(Decision& decision, const Row& rule, Verdict verdict, bool enforced) {
    decision.verdict = verdict;
    decision.enforced = enforced;
    decision.guardrail = rule.text(GuardrailField::kName);
    decision.message = message_of(rule);
    decision.hint = hint_of(verdict);
    if (verdict != Verdict::kAsk) return;
    auto const approvers = rule.texts(GuardrailField::kApprovers);
    decision.approvers.clear();
    for (auto const approver : approvers) decision.approvers.emplace_back(approver);
    decision.min_approvals = static_cast<std::uint32_t>(rule.word(GuardrailField::kMinApprovals));
    decision.wait.reset();
    auto const wait = rule.word(GuardrailField::kWait);
    if (wait != policy::kUnlimited) decision.wait = static_cast<std::int64_t>(wait);
}

constexpr ClassSet kReading = ClassSet(policy::StatementClass::kRead) | policy::StatementClass::kReadSensitive;

// SELECT pg_sleep(60) reads no rows and is of no class.
bool times_everything(const Row& rule) {
    return has_duration_limit(rule) && rule.texts(GuardrailField::kObjects).is_null() &&
           ClassSet(rule.word(GuardrailField::kPlain)) == policy::parse_class_term("*")->classes;
}

// Whose rows a limit counts. Rows changed through a view are those of the table below it.
void note_relations(Limit& limit, const Concern& concern, const classify::Footprint& footprint) {
    limit.reads = concern.classes.meets(kReading);
    limit.writes = !(concern.classes - kReading).empty();
    for (auto const& part : concern.objects) {
        auto const& object = footprint.objects[part.object];
        if ((part.classes - kReading).empty()) continue;
        if (object.kind == "view" || object.relation == 0) limit.all_relations = true;
        limit.relations.push_back(object.relation);
    }
    if (limit.relations.empty()) limit.all_relations = true;
}

// What is refused comes before what is only observed; otherwise the strictest, and of equals the enforced one.
int rank(Verdict verdict, bool enforced) {
    int const strictness = 2 * static_cast<int>(verdict) + (enforced ? 1 : 0);
    return enforced && verdict >= Verdict::kAsk ? 10 + strictness : strictness;
}

void collect(const policy::Row& line, std::vector<std::uint32_t>& rules, std::uint32_t count) {
    for (std::uint32_t i = 0; i < line.count(RoleIndexField::kRules); ++i) {
        auto const rule = line.number(RoleIndexField::kRules, i);
        if (rule < count) rules.push_back(static_cast<std::uint32_t>(rule));
    }
}

// The index's rows are sorted by role, everyone (null) first.
void collect_for_role(const Section& index, std::string_view role, std::vector<std::uint32_t>& rules,
                      std::uint32_t count) {
    std::uint32_t low = 1;
    std::uint32_t high = index.size();
    while (low < high) {
        auto const middle = low + (high - low) / 2;
        auto const name = index[middle].text(RoleIndexField::kRole);
        if (name == role) return collect(index[middle], rules, count);
        if (name < role)
            low = middle + 1;
        else
            high = middle;
    }
}

}  // namespace

Guardrails::Guardrails(const policy::Image& image, const Speaker& speaker)
    : rules_(image.section(SectionId::kGuardrails)) {
    auto const index = image.section(SectionId::kRoleIndex);
    if (index.size() == 0) return;
    std::vector<std::uint32_t> candidates;
    collect(index[0], candidates, rules_.size());
    for (auto const* const roles : {&speaker.login_roles, &speaker.effective_roles, &speaker.outer_roles})
        for (auto const& role : *roles) collect_for_role(index, role, candidates, rules_.size());
    std::ranges::sort(candidates);
    candidates.erase(std::ranges::unique(candidates).begin(), candidates.end());
    for (auto const number : candidates) {
        auto const rule = rules_[number];
        if (!covers(rule, speaker)) continue;
        ClassSet const reach(rule.word(GuardrailField::kReach));
        index_.add(rule, number);
        reach_ |= reach;
        if (!rule.is_null(GuardrailField::kSchedule)) timed_ |= reach;
        if (has_row_limit(rule) || has_duration_limit(rule)) limited_ |= reach;
        if (times_everything(rule)) timed_always_.push_back(number);
    }
}

bool Guardrails::is_enforced(const Row& rule, bool observe) const {
    return !observe && rule.word(GuardrailField::kMode) == static_cast<std::uint64_t>(policy::RuleMode::kEnforce);
}

namespace {

// Takes out of `concern` what grants cover; gives their rows.
std::vector<std::uint32_t> take_leave(Concern& concern, const classify::Footprint& footprint, const Leave& leave,
                                      std::uint64_t now) {
    std::vector<std::uint32_t> grants;
    ClassSet asked;
    ClassSet plain = concern.classes;
    std::vector<Concern::Part> left;
    for (auto const& part : concern.objects) {
        // What concerns an object is asked about with it.
        plain = plain - part.classes;
        auto const classes = leave.uncovered(part.classes, &footprint.objects[part.object], now, grants);
        if (classes.empty()) continue;
        left.push_back({part.object, classes});
        asked |= classes;
    }
    asked |= leave.uncovered(plain, nullptr, now, grants);
    concern.objects = std::move(left);
    concern.classes = asked;
    return grants;
}

// Adds the grants; the first one's request is the approval on record.
void note_grants(Decision& decision, const Leave& leave, const std::vector<std::uint32_t>& rows) {
    for (auto const number : rows) {
        auto const grant = leave.row(number);
        auto const id = grant.word(policy::GrantField::kId);
        if (std::ranges::find(decision.grants, id) != decision.grants.end()) continue;
        decision.grants.push_back(id);
        if (decision.approval != 0) continue;
        decision.approval = grant.word(policy::GrantField::kRequest);
        decision.decided_by.clear();
        for (auto const name : grant.texts(policy::GrantField::kDecidedBy)) decision.decided_by.emplace_back(name);
    }
}

std::string full_reason(const Concern& concern, const classify::Footprint& footprint, const Passed& passed) {
    auto const reason = reason_of(concern, footprint);
    return passed.limit.empty() ? reason : reason + ": " + passed.limit;
}

}  // namespace

Decision Guardrails::judge(const classify::Footprint& footprint, const Clock& clock, bool observe,
                           const Leave& leave) const {
    Decision decision;
    Decision lifted;  // what would be asked about, were it not for grants
    if (!footprint.classes.meets(reach_)) return decision;
    for (auto const number : index_.candidates(footprint)) {
        auto const rule = rules_[number];
        auto const verdict = static_cast<Verdict>(rule.word(GuardrailField::kAction));
        bool const enforced = is_enforced(rule, observe);
        bool const stricter = rank(verdict, enforced) > rank(decision.verdict, decision.enforced);
        bool const first_warning = enforced && verdict == Verdict::kWarn && !decision.warns();
        if (!stricter && !first_warning) continue;
        auto concern = concern_of(rule, footprint, clock);
        if (!concern) continue;
        auto const passed = passes_limits(rule, *concern, footprint);
        if (!passed.met) continue;
        if (verdict == Verdict::kAsk && !leave.empty()) {
            auto const whole = *concern;
            auto const grants = take_leave(*concern, footprint, leave, clock.now());
            if (!grants.empty() && concern->classes.empty()) {
                if (rank(verdict, enforced) > rank(lifted.verdict, lifted.enforced)) {
                    take(lifted, rule, verdict, enforced);
                    lifted.reason = full_reason(whole, footprint, passed);
                }
                note_grants(lifted, leave, grants);
                continue;
            }
        }
        if (first_warning) {
            decision.warning = message_of(rule);
            decision.warning_from = rule.text(GuardrailField::kName);
        }
        if (!stricter) continue;
        take(decision, rule, verdict, enforced);
        decision.reason = full_reason(*concern, footprint, passed);
        if (decision.refuses() && verdict == Verdict::kBlock) break;
    }
    if (decision.refuses()) {
        decision.warning.clear();
        return decision;
    }
    if (lifted.grants.empty()) return decision;
    lifted.warning = decision.warning;
    lifted.warning_from = decision.warning_from;
    return lifted;
}

std::vector<Limit> Guardrails::limits(const classify::Footprint& footprint, const Clock& clock, bool observe,
                                      const Leave& leave) const {
    std::vector<Limit> limits;
    if (!has_limits(footprint.classes)) return limits;
    bool const classless = footprint.classes.empty();
    for (auto const number : classless ? timed_always_ : index_.candidates(footprint)) {
        auto const rule = rules_[number];
        if (!has_row_limit(rule) && !has_duration_limit(rule)) continue;
        auto const verdict = static_cast<Verdict>(rule.word(GuardrailField::kAction));
        auto concern = classless ? concern_of_all(rule, clock) : concern_of(rule, footprint, clock);
        if (!concern) continue;
        if (verdict == Verdict::kAsk && !leave.empty()) {
            (void)take_leave(*concern, footprint, leave, clock.now());
            if (concern->classes.empty()) continue;
        }
        auto& limit = limits.emplace_back();
        take(limit.decision, rule, verdict, is_enforced(rule, observe));
        limit.decision.late = true;
        // What runs cannot wait for a person; what it needs can be had before.
        if (verdict == Verdict::kAsk) limit.decision.hint = hint_at_leave(concern->classes);
        limit.decision.reason = classless ? "of no class" : reason_of(*concern, footprint);
        limit.max_rows = classless ? policy::kUnlimited : rule.word(GuardrailField::kMaxRows);
        limit.per = static_cast<std::int64_t>(rule.word(GuardrailField::kPer));
        limit.max_duration = static_cast<std::int64_t>(rule.word(GuardrailField::kMaxDuration));
        note_relations(limit, *concern, footprint);
    }
    return limits;
}

}  // namespace hoopguard::decide
