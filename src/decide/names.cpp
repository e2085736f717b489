// Matching globs against names of objects.
#include "decide/names.hpp"

#include "policy/glob.hpp"

#include <algorithm>

namespace hoopguard::decide {

bool names_object(std::string_view pattern, std::string_view name) noexcept {
    if (policy::glob_matches(pattern, name)) return true;
    auto const dot = name.find('.');
    return dot != std::string_view::npos && pattern.find('.') == std::string_view::npos &&
           policy::glob_matches(pattern, name.substr(dot + 1));
}

bool names_any(const policy::TextList& patterns, std::string_view name) noexcept {
    return patterns.is_null() || std::any_of(patterns.begin(), patterns.end(), [name](std::string_view pattern) {
               return names_object(pattern, name);
           });
}

}  // namespace hoopguard::decide
