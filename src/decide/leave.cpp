// Matching grants against what a guardrail asks about.
#include "decide/leave.hpp"

#include "decide/names.hpp"

#include <algorithm>

namespace hoopguard::decide {

using policy::ClassSet;
using policy::GrantField;
using policy::Row;

namespace {

// The classes among `asked` that the grant names, for an object of this kind.
ClassSet named_classes(const Row& grant, ClassSet asked, std::string_view kind) {
    ClassSet named;
    for (auto const word : grant.texts(GrantField::kClasses)) {
        auto const term = policy::parse_class_term(word);
        if (term && (term->kind.empty() || term->kind == kind)) named |= asked & term->classes;
    }
    return named;
}

ClassSet covered(const Row& grant, ClassSet asked, const classify::ObjectName* object) {
    auto const patterns = grant.texts(GrantField::kObjects);
    if (object == nullptr) return patterns.is_null() ? named_classes(grant, asked, {}) : ClassSet();
    return names_any(patterns, object->name) ? named_classes(grant, asked, object->kind) : ClassSet();
}

}  // namespace

bool is_for(const Row& grant, const Asker& asker) noexcept {
    auto const session = grant.word(GrantField::kSession);
    return grant.text(GrantField::kActor) == asker.actor && grant.text(GrantField::kProvider) == asker.provider &&
           (session == 0 || session == asker.session);
}

bool is_valid(const Row& grant, std::uint64_t now) noexcept {
    return now < grant.word(GrantField::kValidUntil);
}

std::vector<std::uint64_t> grants_in_force(const policy::Image& image, const Asker& asker, std::uint64_t now) {
    std::vector<std::uint64_t> numbers;
    auto const grants = image.section(policy::SectionId::kGrants);
    for (std::uint32_t i = 0; i < grants.size(); ++i) {
        auto const grant = grants[i];
        bool const elsewhere =
            !grant.is_null(GrantField::kDatabase) && grant.text(GrantField::kDatabase) != asker.database;
        if (is_for(grant, asker) && is_valid(grant, now) && !elsewhere)
            numbers.push_back(grant.word(GrantField::kId));
    }
    return numbers;
}

Leave::Leave(const policy::Image& image, const Asker& asker) : grants_(image.section(policy::SectionId::kGrants)) {
    for (std::uint32_t i = 0; i < grants_.size(); ++i) {
        auto const grant = grants_[i];
        if (grant.is_null(GrantField::kClasses) || !is_for(grant, asker)) continue;
        bool const elsewhere =
            !grant.is_null(GrantField::kDatabase) && grant.text(GrantField::kDatabase) != asker.database;
        chosen_.push_back({i, elsewhere});
    }
}

ClassSet Leave::uncovered(ClassSet classes, const classify::ObjectName* object, std::uint64_t now,
                          std::vector<std::uint32_t>& used) const {
    for (auto const [number, elsewhere] : chosen_) {
        if (classes.empty()) break;
        auto const grant = grants_[number];
        if (!is_valid(grant, now)) continue;
        auto const reach = elsewhere ? classes & policy::StatementClass::kLogin : classes;
        auto const found = covered(grant, reach, object);
        if (found.empty()) continue;
        classes = classes - found;
        if (std::ranges::find(used, number) == used.end()) used.push_back(number);
    }
    return classes;
}

}  // namespace hoopguard::decide
