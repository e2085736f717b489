// Data classes: what a column holds, in the words that labels and mask policies share.
#pragma once

#include "mask/method.hpp"

#include <span>
#include <string_view>

namespace hoopguard::mask {

struct BuiltInClass {
    std::string_view name;
    Method method;  // in force when no policy names one
};

// The classes that every cluster knows, as the install script has them in hoopguard.data_class.
std::span<const BuiltInClass> built_in_classes() noexcept;

// The method of a class that no policy names one for: the built-in's, or redact.
Method default_method(std::string_view data_class) noexcept;

// Whether a column of `family` may carry the class although `method` does not fit: numbers hold telephone, card
// and social security numbers, too, and what a built-in class itself shows of a text is not shown of a number: it
// is redacted.
bool falls_back(std::string_view data_class, const Method& method, TypeFamily family) noexcept;

// Whether `name` may name a data class: a lower-case letter, then letters, digits and underscores, at most 63.
bool is_class_name(std::string_view name) noexcept;

// The pseudo class of columns without a label. It is in policies, never on a column.
inline constexpr std::string_view kUnclassified = "unclassified";

}  // namespace hoopguard::mask
