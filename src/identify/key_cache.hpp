// Key sets that this process has read: reading a key costs as much as verifying with it. What is kept is found by
// the text that it was read from, so that no changed set is ever missed.
#pragma once

#include "identify/key_set.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::identify {

class KeyCache {
 public:
    static constexpr std::size_t kMostSets = 16;

    // As KeySet::parse(): all keys, or those of a name. Valid until the next call.
    const base::Result<KeySet>& keys(std::string_view json, const std::optional<std::string>& id);

 private:
    struct Kept {
        std::string json;
        std::optional<std::string> id;
        base::Result<KeySet> keys;
    };
    base::Result<KeySet> unkept_ = KeySet();
    std::list<Kept> kept_;  // the last one asked for comes first
};

}  // namespace hoopguard::identify
