// Roots of the tree as it was up to kRecentLeaves entries ago, in bounded memory: for entries that state a
// root of a size which the tree has passed already.
#pragma once

#include "record/tree.hpp"

#include <optional>
#include <vector>

namespace hoopguard::record {

inline constexpr std::uint64_t kRecentLeaves = 64u << 10;

class RecentRoots {
 public:
    // Forgets all and begins with the tree as it is.
    void restart(const Frontier& frontier);
    // The tree has got this leaf; `frontier` includes it.
    void add(const Hash& leaf, const Frontier& frontier);
    // The smallest size that may be asked for.
    std::uint64_t start() const noexcept { return start_; }
    // The root at this size; nothing when that is too long ago.
    std::optional<Hash> at(std::uint64_t size) const;

 private:
    std::uint64_t start_ = 0;  // leaves before it are not known
    std::uint64_t size_ = 0;
    std::vector<Hash> leaves_;         // leaf i at i % kRecentLeaves
    std::vector<Frontier> frontiers_;  // at multiples of kTileWidth, likewise
    Frontier first_;                   // at start_
};

}  // namespace hoopguard::record
