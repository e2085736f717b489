// The Merkle tree over an origin's entries (RFC 6962, RFC 9162).
#include "record/tree.hpp"

#include <bit>

namespace hoopguard::record {
namespace {

// The root of leaves [start, end), where start is a multiple of the smallest power of two >= end - start.
base::Result<Hash> range_root(HashSource& source, std::uint64_t start, std::uint64_t end) {
    // Complete subtrees from left to right, then joined from the right.
    std::vector<Hash> parts;
    while (start < end) {
        const auto level = static_cast<unsigned>(std::bit_width(end - start)) - 1;
        auto part = source.subtree(level, start >> level);
        if (!part) return part.error();
        parts.push_back(*part);
        start += std::uint64_t{1} << level;
    }
    if (parts.empty()) return empty_root();
    Hash root = parts.back();
    for (std::size_t i = parts.size() - 1; i-- > 0;) root = node_hash(parts[i], root);
    return root;
}

}  // namespace

Hash leaf_hash(base::ByteView entry) noexcept {
    return crypto::sha256(std::uint8_t{0}, entry);
}

Hash node_hash(const Hash& left, const Hash& right) noexcept {
    return crypto::sha256(std::uint8_t{1}, left, right);
}

Hash empty_root() noexcept {
    return crypto::sha256(base::ByteView{});
}

std::optional<Frontier> Frontier::from(std::uint64_t size, std::span<const Hash> hashes) noexcept {
    if (hashes.size() != static_cast<std::size_t>(std::popcount(size))) return std::nullopt;
    Frontier frontier;
    std::copy(hashes.begin(), hashes.end(), frontier.hashes_.begin());
    frontier.count_ = hashes.size();
    frontier.size_ = size;
    return frontier;
}

void Frontier::append(const Hash& leaf) noexcept {
    Hash unused;
    append(leaf, unused);
}

bool Frontier::append(const Hash& leaf, Hash& tile) noexcept {
    Hash hash = leaf;
    unsigned level = 0;
    // As in counting: every trailing one bit is a subtree that the new one completes.
    for (std::uint64_t bits = size_; bits & 1; bits >>= 1) {
        hash = node_hash(hashes_[--count_], hash);
        if (++level == kTileLevel) tile = hash;
    }
    hashes_[count_++] = hash;
    ++size_;
    return level >= kTileLevel;
}

Hash Frontier::root() const noexcept {
    if (count_ == 0) return empty_root();
    Hash root = hashes_[count_ - 1];
    for (std::size_t i = count_ - 1; i-- > 0;) root = node_hash(hashes_[i], root);
    return root;
}

base::Result<Hash> tree_root(HashSource& source, std::uint64_t size) {
    return range_root(source, 0, size);
}

base::Result<std::vector<Hash>> inclusion_proof(HashSource& source, std::uint64_t index, std::uint64_t size) {
    if (index >= size)
        return base::fail("entry " + std::to_string(index) + " is not within a tree of " + std::to_string(size) +
                          " entries");
    std::vector<Hash> proof;
    for (std::uint64_t start = 0, end = size; end - start > 1;) {
        const std::uint64_t middle = start + std::bit_floor(end - start - 1);
        auto sibling = index < middle ? range_root(source, middle, end) : range_root(source, start, middle);
        if (!sibling) return sibling.error();
        proof.push_back(*sibling);
        (index < middle ? end : start) = middle;
    }
    std::reverse(proof.begin(), proof.end());
    return proof;
}

base::Result<std::vector<Hash>> consistency_proof(HashSource& source, std::uint64_t first, std::uint64_t second) {
    if (first == 0 || first > second)
        return base::fail("no consistency proof exists from size " + std::to_string(first) + " to " +
                          std::to_string(second));
    std::vector<Hash> proof;
    std::uint64_t start = 0;
    std::uint64_t end = second;
    while (end != first) {
        const std::uint64_t middle = start + std::bit_floor(end - start - 1);
        auto sibling = first <= middle ? range_root(source, middle, end) : range_root(source, start, middle);
        if (!sibling) return sibling.error();
        proof.push_back(*sibling);
        (first <= middle ? end : start) = middle;
    }
    // The verifier knows the old root already when the old tree is this whole subtree.
    if (start != 0) {
        auto shared = range_root(source, start, end);
        if (!shared) return shared.error();
        proof.push_back(*shared);
    }
    std::reverse(proof.begin(), proof.end());
    return proof;
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, std::span<const Hash> proof,
                      const Hash& root) noexcept {
    if (index >= size) return false;
    std::uint64_t node = index;
    std::uint64_t last = size - 1;
    Hash hash = leaf;
    for (const Hash& sibling : proof) {
        if (last == 0) return false;
        if ((node & 1) != 0 || node == last) {
            hash = node_hash(sibling, hash);
            for (; (node & 1) == 0 && node != 0; node >>= 1) last >>= 1;
        } else {
            hash = node_hash(hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t first, std::uint64_t second, std::span<const Hash> proof,
                        const Hash& first_root, const Hash& second_root) noexcept {
    if (first == 0 || first > second) return false;
    if (first == second) return proof.empty() && first_root == second_root;
    if (proof.empty()) return false;
    const bool whole = std::has_single_bit(first);
    if (!whole && proof.size() < 2) return false;
    std::uint64_t node = first - 1;
    std::uint64_t last = second - 1;
    for (; (node & 1) != 0; node >>= 1) last >>= 1;
    Hash old_hash = whole ? first_root : proof.front();
    Hash new_hash = old_hash;
    for (const Hash& sibling : proof.subspan(whole ? 0 : 1)) {
        if (last == 0) return false;
        if ((node & 1) != 0 || node == last) {
            old_hash = node_hash(sibling, old_hash);
            new_hash = node_hash(sibling, new_hash);
            for (; (node & 1) == 0 && node != 0; node >>= 1) last >>= 1;
        } else {
            new_hash = node_hash(new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && old_hash == first_root && new_hash == second_root;
}

}  // namespace hoopguard::record
