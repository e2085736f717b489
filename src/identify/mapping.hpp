// From a verified identity to a role: the first row of hoopguard.role_map that fits, by rank.
#pragma once

#include "identify/bearer.hpp"
#include "identify/token.hpp"
#include "policy/image.hpp"

#include <optional>
#include <string_view>

namespace hoopguard::identify {

struct Mapping {
    std::string_view role;  // in the image
    bool temporary = false;
};

// A group must be among the identity's; every claim named must match its glob, and one that is a list must hold
// a match.
std::optional<Mapping> map_role(const policy::Image& image, std::string_view provider, const Identity& identity);

// What the actor is: as hoopguard.actor says, else as claim "actor_kind" says, else an agent when it speaks on
// somebody's behalf.
ActorKind kind_of(const policy::Image& image, std::string_view provider, const Identity& identity);

// The rules and keys of one row of hoopguard.provider.
TokenRules rules_of(const policy::Row& provider);

// When the actor's registration ends, in seconds since 1970-01-01 UTC; the most there is when it does not.
std::int64_t registered_until(const policy::Image& image, std::string_view provider,
                              std::string_view subject) noexcept;

}  // namespace hoopguard::identify
