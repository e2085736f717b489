// Roots of the tree as it was a while ago.
#include "record/recent_roots.hpp"

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kFrontiers = kRecentLeaves / kTileWidth;

}  // namespace

void RecentRoots::restart(const Frontier& frontier) {
    first_ = frontier;
    start_ = size_ = frontier.size();
}

void RecentRoots::add(const Hash& leaf, const Frontier& frontier) {
    const std::uint64_t slot = size_ % kRecentLeaves;
    if (slot >= leaves_.size()) leaves_.resize(slot + 1);
    leaves_[slot] = leaf;
    ++size_;
    if (size_ % kTileWidth != 0) return;
    const std::uint64_t frontier_slot = size_ / kTileWidth % kFrontiers;
    if (frontier_slot >= frontiers_.size()) frontiers_.resize(frontier_slot + 1);
    frontiers_[frontier_slot] = frontier;
}

std::optional<Hash> RecentRoots::at(std::uint64_t size) const {
    // The frontier below must not have been overwritten: one tile less than there is room for.
    if (size < start_ || size > size_ || size_ - size > kRecentLeaves - kTileWidth) return std::nullopt;
    const std::uint64_t below = size / kTileWidth * kTileWidth;
    Frontier frontier = below > start_ ? frontiers_[below / kTileWidth % kFrontiers] : first_;
    for (std::uint64_t i = frontier.size(); i < size; ++i) frontier.append(leaves_[i % kRecentLeaves]);
    return frontier.root();
}

}  // namespace hoopguard::record
