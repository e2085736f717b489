// A growing tree that also yields its tiles: the roots of complete, aligned subtrees of 256 leaves, which the
// file `tiles` keeps so that proofs need not read every entry. No leaf is hashed twice for it.
#pragma once

#include "record/tree.hpp"

namespace hoopguard::record {

inline constexpr std::uint64_t kTileLeaves = 256;

class TileTree {
 public:
    TileTree() noexcept = default;
    explicit TileTree(const Frontier& frontier) noexcept;

    // Appends the tile's hash to `tiles` when this leaf completes one.
    void append(const Hash& leaf, base::Bytes& tiles);
    std::uint64_t size() const noexcept { return tiles_.size() * kTileLeaves + rest_.size(); }
    std::uint64_t tiles() const noexcept { return tiles_.size(); }
    Frontier frontier() const noexcept;

 private:
    Frontier tiles_;  // over tiles as leaves
    Frontier rest_;   // over the leaves since the last tile
};

}  // namespace hoopguard::record
