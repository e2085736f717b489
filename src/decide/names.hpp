// Names of objects as policy speaks of them.
#pragma once

#include "policy/image.hpp"

#include <string_view>

namespace hoopguard::decide {

// Whether a glob names the object. A pattern without a dot speaks of the object's own name, in whatever schema.
bool names_object(std::string_view pattern, std::string_view name) noexcept;

// Whether any of the globs does; a list that is null names every object.
bool names_any(const policy::TextList& patterns, std::string_view name) noexcept;

}  // namespace hoopguard::decide
