// Choosing the rules for a speaker and matching them.
#include "decide/guardrails.hpp"

#include "decide/names.hpp"
#include "policy/glob.hpp"
#include "policy/tables.hpp"

#include <algorithm>
#include <cmath>

namespace hoopguard::decide {

using policy::ClassSet;
using policy::GuardrailField;
using policy::RoleIndexField;
using policy::Row;
using policy::Section;
using policy::SectionId;

// Why a rule matched: the class, and the object if it took one. With grants: they cover all that it asks about.
struct Guardrails::Match {
    ClassSet classes;
    const classify::ObjectName* object = nullptr;
    std::vector<std::uint32_t> grants = {};  // rows of the image's section
};

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
        any_of_roles(excepted, speaker.effective_roles))
        return false;
    auto const databases = rule.texts(GuardrailField::kDatabases);
    return databases.is_null() || std::any_of(databases.begin(), databases.end(), [&](std::string_view pattern) {
               return policy::glob_matches(pattern, speaker.database);
           });
}

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

bool is_beyond_cost(const Row& rule, double cost) {
    auto const limit = rule.real(GuardrailField::kMaxCost);
    return std::isnan(limit) || cost > limit;
}

bool is_scheduled(const Row& rule, const Clock& clock) {
    if (rule.is_null(GuardrailField::kSchedule)) return true;
    auto const schedule = policy::Schedule::parse(rule.text(GuardrailField::kSchedule));
    if (!schedule) return true;
    auto const now = clock.in_zone(schedule->zone());
    return !now || schedule->in_force(*now);
}

std::string reason_of(ClassSet classes, const classify::ObjectName* object) {
    std::string text;
    for (auto const name : policy::names_of(classes)) text.append(text.empty() ? "" : ", ").append(name);
    if (object != nullptr) text.append(" of ").append(object->kind).append(" ").append(object->name);
    return text;
}

std::string message_of(const Row& rule, std::string_view name) {
    if (!rule.text(GuardrailField::kMessage).empty()) return std::string(rule.text(GuardrailField::kMessage));
    auto const quoted = "guardrail \"" + std::string(name) + "\"";
    switch (static_cast<Verdict>(rule.word(GuardrailField::kAction))) {
        case Verdict::kWarn: return "statement meets " + quoted;
        case Verdict::kAsk: return "statement needs the approval of a person: " + quoted;
        default: return "statement is blocked by " + quoted;
    }
}

std::string hint_of(Verdict verdict) {
    if (verdict == Verdict::kAsk)
        return "Approval by a person is not available in this version: ask a member of hoopguard_admin to run the "
               "statement or to except you from the guardrail.";
    if (verdict == Verdict::kBlock)
        return "If the statement is needed, ask a member of hoopguard_admin to except you from the guardrail.";
    return {};
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
    for (auto const& role : speaker.login_roles) collect_for_role(index, role, candidates, rules_.size());
    for (auto const& role : speaker.effective_roles) collect_for_role(index, role, candidates, rules_.size());
    std::ranges::sort(candidates);
    candidates.erase(std::ranges::unique(candidates).begin(), candidates.end());
    for (auto const number : candidates) {
        auto const rule = rules_[number];
        if (!covers(rule, speaker)) continue;
        ClassSet const reach(rule.word(GuardrailField::kReach));
        chosen_.push_back(number);
        reach_ |= reach;
        if (!rule.is_null(GuardrailField::kSchedule)) timed_ |= reach;
    }
}

std::optional<Guardrails::Match> Guardrails::match(const Row& rule, const classify::Footprint& footprint,
                                                   const Clock& clock, const Leave& leave) const {
    ClassSet const reach(rule.word(GuardrailField::kReach));
    if (!footprint.classes.meets(reach)) return std::nullopt;
    if (!is_beyond_cost(rule, footprint.cost) || !is_scheduled(rule, clock)) return std::nullopt;
    bool const may_lift =
        !leave.empty() && static_cast<Verdict>(rule.word(GuardrailField::kAction)) == Verdict::kAsk;
    auto const now = may_lift ? clock.now() : 0;
    Match lifted;
    auto const patterns = rule.texts(GuardrailField::kObjects);
    auto plain = footprint.classes & ClassSet(rule.word(GuardrailField::kPlain));
    for (auto const& object : footprint.objects) {
        auto const met = object.classes & reach;
        if (met.empty() || !names_any(patterns, object.name)) continue;
        auto const covered = covered_classes(rule, met, object.kind);
        if (covered.empty()) continue;
        auto const asked = may_lift ? leave.uncovered(covered, &object, now, lifted.grants) : covered;
        if (!asked.empty()) return Match{asked, &object};
        if (lifted.object == nullptr) lifted.object = &object;
        lifted.classes |= covered;
        // What concerns an object has been asked about with it.
        plain = plain - covered;
    }
    if (patterns.is_null() && !plain.empty()) {
        auto const asked = may_lift ? leave.uncovered(plain, nullptr, now, lifted.grants) : plain;
        if (!asked.empty()) return Match{asked, nullptr};
        lifted.classes |= plain;
    }
    if (lifted.grants.empty()) return std::nullopt;
    return lifted;
}

namespace {

void describe(Decision& decision, const Row& rule, bool enforced, ClassSet classes,
              const classify::ObjectName* object) {
    decision.verdict = static_cast<Verdict>(rule.word(GuardrailField::kAction));
    decision.enforced = enforced;
    decision.guardrail = rule.text(GuardrailField::kName);
    decision.message = message_of(rule, rule.text(GuardrailField::kName));
    decision.reason = reason_of(classes, object);
    decision.hint = hint_of(decision.verdict);
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

}  // namespace

Decision Guardrails::judge(const classify::Footprint& footprint, const Clock& clock, bool observe,
                           const Leave& leave) const {
    Decision decision;
    Decision lifted;  // what would be asked about, were it not for grants
    if (!footprint.classes.meets(reach_)) return decision;
    for (auto const number : chosen_) {
        auto const rule = rules_[number];
        auto const verdict = static_cast<Verdict>(rule.word(GuardrailField::kAction));
        bool const enforced =
            !observe && rule.word(GuardrailField::kMode) == static_cast<std::uint64_t>(policy::RuleMode::kEnforce);
        bool const stricter = rank(verdict, enforced) > rank(decision.verdict, decision.enforced);
        bool const first_warning = enforced && verdict == Verdict::kWarn && !decision.warns();
        if (!stricter && !first_warning) continue;
        auto const found = match(rule, footprint, clock, leave);
        if (!found) continue;
        if (!found->grants.empty()) {
            if (rank(verdict, enforced) > rank(lifted.verdict, lifted.enforced))
                describe(lifted, rule, enforced, found->classes, found->object);
            note_grants(lifted, leave, found->grants);
            continue;
        }
        if (first_warning) {
            decision.warning = message_of(rule, rule.text(GuardrailField::kName));
            decision.warning_from = rule.text(GuardrailField::kName);
        }
        if (!stricter) continue;
        describe(decision, rule, enforced, found->classes, found->object);
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

}  // namespace hoopguard::decide
