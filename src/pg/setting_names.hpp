// The names of hoopguard's settings that sessions cannot change.
#pragma once

#include <span>

namespace hoopguard::pg {

// In the order of their definition; empty before define_settings().
std::span<const char* const> administrators_settings() noexcept;

}  // namespace hoopguard::pg
