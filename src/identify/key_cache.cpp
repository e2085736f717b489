// A short list, searched from its front.
#include "identify/key_cache.hpp"

#include <algorithm>

namespace hoopguard::identify {

const base::Result<KeySet>& KeyCache::keys(std::string_view json, const std::optional<std::string>& id) {
    const auto found =
        std::ranges::find_if(kept_, [&](const Kept& one) { return one.json == json && one.id == id; });
    if (found != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, found);
        return kept_.front().keys;
    }
    auto keys = id ? KeySet::parse(json, *id) : KeySet::parse(json);
    // Names come from tokens that nobody has verified yet: one that no key has is not worth keeping.
    if (!keys || keys->keys().empty()) return unkept_ = std::move(keys);
    if (kept_.size() >= kMostSets) kept_.pop_back();
    kept_.push_front({std::string(json), id, std::move(keys)});
    return kept_.front().keys;
}

}  // namespace hoopguard::identify
