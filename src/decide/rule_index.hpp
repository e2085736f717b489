// Which of many rules may meet a footprint: by the classes they reach and, where a rule names its objects without
// globs, by those names. So a statement pays for the rules that concern it, not for the length of the policy.
#pragma once

#include "classify/footprint.hpp"
#include "policy/image.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hoopguard::decide {

class RuleIndex {
 public:
    // `number` is the rule's row in its section; rows come in rising order. Keeps views into the image.
    void add(const policy::Row& rule, std::uint32_t number);
    // Rows that may meet `footprint`, each once, rising: the rules that do are among them. Valid until the next
    // call.
    const std::vector<std::uint32_t>& candidates(const classify::Footprint& footprint) const;

 private:
    static constexpr auto kClasses = static_cast<std::size_t>(policy::StatementClass::kCount);

    void collect_named(std::string_view name) const;

    std::array<std::vector<std::uint32_t>, kClasses> by_class_;
    std::unordered_map<std::string_view, std::vector<std::uint32_t>> by_name_;
    mutable std::vector<std::uint32_t> found_;
};

}  // namespace hoopguard::decide
