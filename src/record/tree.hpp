// The Merkle tree over an origin's entries, as in RFC 6962 section 2.1 and RFC 9162 section 2.1.
// Leaf i is the i-th entry of the origin. Nothing here touches files; hashes come from a HashSource.
#pragma once

#include "base/result.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

namespace hoopguard::record {

using Hash = crypto::Digest;

// SHA-256(0x00 || entry), over the entry's bytes as they stand in the segment.
Hash leaf_hash(base::ByteView entry) noexcept;
// SHA-256(0x01 || left || right).
Hash node_hash(const Hash& left, const Hash& right) noexcept;
// SHA-256 of nothing: the root of the tree without leaves.
Hash empty_root() noexcept;

// The hashes of complete aligned subtrees of 2^kTileLevel leaves are kept in the file `tiles`.
inline constexpr unsigned kTileLevel = 8;
inline constexpr std::uint64_t kTileWidth = std::uint64_t{1} << kTileLevel;

// The complete subtrees that a tree of a given size falls into, largest first: all that is needed to
// append leaves and to know the root. A value of 2 KiB that allocates nothing.
class Frontier {
 public:
    Frontier() noexcept = default;
    // From what hashes() gave. Nothing when the count is not the number of one bits in `size`.
    static std::optional<Frontier> from(std::uint64_t size, std::span<const Hash> hashes) noexcept;

    void append(const Hash& leaf) noexcept;
    // The same; true when the leaf completed an aligned subtree of 256 leaves, whose root is then in `tile`.
    bool append(const Hash& leaf, Hash& tile) noexcept;
    std::uint64_t size() const noexcept { return size_; }
    Hash root() const noexcept;
    // One for each one bit of size(), largest subtree first. Valid until the next append.
    std::span<const Hash> hashes() const noexcept { return {hashes_.data(), count_}; }

    friend bool operator==(const Frontier& a, const Frontier& b) noexcept {
        return a.size_ == b.size_ && std::equal(a.hashes().begin(), a.hashes().end(), b.hashes().begin());
    }

 private:
    std::array<Hash, 64> hashes_;
    std::size_t count_ = 0;
    std::uint64_t size_ = 0;
};

// Where the hashes of complete subtrees come from when a proof is made.
class HashSource {
 public:
    virtual ~HashSource() = default;
    // The root of leaves [index << level, (index + 1) << level).
    virtual base::Result<Hash> subtree(unsigned level, std::uint64_t index) = 0;
};

// The root of the first `size` leaves.
base::Result<Hash> tree_root(HashSource& source, std::uint64_t size);

// PATH(index, D[size]) of RFC 9162 section 2.1.3.1, from the leaf upwards. index < size.
base::Result<std::vector<Hash>> inclusion_proof(HashSource& source, std::uint64_t index, std::uint64_t size);

// PROOF(first, D[second]) of RFC 9162 section 2.1.4.1. 0 < first <= second.
base::Result<std::vector<Hash>> consistency_proof(HashSource& source, std::uint64_t first, std::uint64_t second);

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, std::span<const Hash> proof,
                      const Hash& root) noexcept;

// RFC 9162 section 2.1.4.2. A tree is consistent with itself (no proof); nothing is proven about size 0.
bool verify_consistency(std::uint64_t first, std::uint64_t second, std::span<const Hash> proof,
                        const Hash& first_root, const Hash& second_root) noexcept;

}  // namespace hoopguard::record
