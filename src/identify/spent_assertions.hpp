// The assertions that have been used: each lets somebody in once, on this server, also after a restart or crash.
//
// A file of records, 32 bytes of SHA-256 over provider and id and 8 bytes of when it can be forgotten (seconds
// since 1970, little-endian), replaced whole and durably with each use; what has expired is left out. A lock file
// beside it lets one process in at a time. Plain files and no server.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hoopguard::identify {

class SpentAssertions {
 public:
    static constexpr std::size_t kMost = 20000;  // that are remembered at once; more are refused

    // `directory` exists.
    explicit SpentAssertions(std::string directory) : directory_(std::move(directory)) {}

    // True when it had not been used before, and is remembered now until `until`. Fails when that cannot be known,
    // or not be remembered: nobody may be let in then. Waits for other processes for at most two seconds.
    base::Result<bool> spend(std::string_view provider, std::string_view id, std::int64_t until,
                             std::int64_t now) const;

    std::string path() const { return directory_ + "/spent-assertions"; }

 private:
    std::string directory_;
};

}  // namespace hoopguard::identify
