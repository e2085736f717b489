// Locked actors: whoever is locked says nothing, and neither do the agents that are his. Pure; reads the image.
#pragma once

#include "policy/image.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace hoopguard::identify {

// Valid as long as the image is.
struct Lock {
    std::string_view name;  // of the lock: the actor's own, or that of an owner
    std::string_view reason;
};

// The lock that keeps the actor out at `now` (microseconds since 1970-01-01 UTC). `provider` is empty for a
// database role. A lock goes by the bare name: it holds for a role and for a token's subject alike. Owners are
// followed as far as they are registered.
std::optional<Lock> find_lock(const policy::Image& image, std::string_view provider, std::string_view name,
                              std::uint64_t now) noexcept;

}  // namespace hoopguard::identify
