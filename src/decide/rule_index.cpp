// Filing rules and finding them again.
#include "decide/rule_index.hpp"

#include "policy/glob.hpp"

#include <algorithm>

namespace hoopguard::decide {

using policy::ClassSet;
using policy::GuardrailField;
using policy::StatementClass;

void RuleIndex::add(const policy::Row& rule, std::uint32_t number) {
    auto const patterns = rule.texts(GuardrailField::kObjects);
    bool const by_name =
        !patterns.is_null() && std::all_of(patterns.begin(), patterns.end(),
                                           [](std::string_view pattern) { return policy::is_literal(pattern); });
    if (by_name) {
        for (auto const name : patterns) by_name_[name].push_back(number);
        return;
    }
    ClassSet const reach(rule.word(GuardrailField::kReach));
    for (std::size_t at = 0; at < kClasses; ++at)
        if (reach.has(static_cast<StatementClass>(at))) by_class_[at].push_back(number);
}

void RuleIndex::collect_named(std::string_view name) const {
    if (auto const rules = by_name_.find(name); rules != by_name_.end())
        found_.insert(found_.end(), rules->second.begin(), rules->second.end());
}

const std::vector<std::uint32_t>& RuleIndex::candidates(const classify::Footprint& footprint) const {
    found_.clear();
    int sources = 0;
    for (std::size_t at = 0; at < kClasses; ++at) {
        if (by_class_[at].empty() || !footprint.classes.has(static_cast<StatementClass>(at))) continue;
        found_.insert(found_.end(), by_class_[at].begin(), by_class_[at].end());
        ++sources;
    }
    auto const from_classes = found_.size();
    if (!by_name_.empty()) {
        for (auto const& object : footprint.objects) {
            collect_named(object.name);
            // As rules name objects without their schema.
            auto const dot = object.name.find('.');
            if (dot != std::string::npos) collect_named(std::string_view(object.name).substr(dot + 1));
        }
    }
    if (sources > 1 || found_.size() > from_classes) {
        std::ranges::sort(found_);
        found_.erase(std::ranges::unique(found_).begin(), found_.end());
    }
    return found_;
}

}  // namespace hoopguard::decide
