// The data classes that just-in-time grants show to one actor. Pure: the time is given.
#pragma once

#include "decide/leave.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::decide {

struct Unmasked {
    std::vector<std::string> classes;  // sorted, each once
    std::vector<std::uint64_t> grants;
    // When this is over, microseconds since 1970-01-01 UTC; kUnlimited: not before the policy changes.
    std::uint64_t changes_at = policy::kUnlimited;
};

Unmasked unmasked_for(const policy::Image& image, const Asker& asker, std::uint64_t now);

}  // namespace hoopguard::decide
