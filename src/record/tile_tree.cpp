// The tree in two storeys: tiles above, the leaves of the unfinished tile below.
#include "record/tile_tree.hpp"

#include <algorithm>
#include <bit>

namespace hoopguard::record {

TileTree::TileTree(const Frontier& frontier) noexcept {
    std::span<const Hash> const hashes = frontier.hashes();
    auto const above = static_cast<std::size_t>(std::popcount(frontier.size() / kTileLeaves));
    tiles_ = *Frontier::from(frontier.size() / kTileLeaves, hashes.first(above));
    rest_ = *Frontier::from(frontier.size() % kTileLeaves, hashes.subspan(above));
}

void TileTree::append(const Hash& leaf, base::Bytes& tiles) {
    if (rest_.size() + 1 == kTileLeaves) tiles.reserve(tiles.size() + sizeof(Hash));
    rest_.append(leaf);
    if (rest_.size() < kTileLeaves) return;
    Hash const root = rest_.root();
    tiles.insert(tiles.end(), root.begin(), root.end());
    tiles_.append(root);
    rest_ = Frontier();
}

Frontier TileTree::frontier() const noexcept {
    std::array<Hash, 64> hashes;
    auto const end = std::ranges::copy(tiles_.hashes(), hashes.begin()).out;
    auto const last = std::ranges::copy(rest_.hashes(), end).out;
    return *Frontier::from(size(), std::span<const Hash>(hashes.begin(), last));
}

}  // namespace hoopguard::record
