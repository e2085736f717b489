// The keys that keyed methods mask by, made from the cluster's mask secret: the same secret gives the same tokens
// on every server of the cluster. Everything here is deterministic, and nothing throws once the keys are made.
#pragma once

#include "base/result.hpp"
#include "crypto/ff1.hpp"
#include "crypto/mac.hpp"

#include <cstdint>

namespace hoopguard::mask {

// What a sum is for: tokens of one use tell nothing about those of another.
enum class Use : std::uint8_t { kHash = 1, kFpe = 2, kNoise = 3, kPseudonym = 4 };

class MaskKeys {
 public:
    static base::Result<MaskKeys> from_secret(base::ByteView secret);

    // A sum over `value`. What is one value must come as the same bytes.
    crypto::Digest sum(Use use, base::ByteView value) const noexcept;
    // Its first 64 bits, over a number.
    std::uint64_t word(Use use, std::uint64_t value) const noexcept;
    // Between -1 and 1.
    double shift(std::uint64_t value) const noexcept;

    // Another number of at most `bits` (2 to 63) bits, a different one for each.
    std::uint64_t permute(std::uint64_t value, unsigned bits) const noexcept;

    const crypto::Ff1& ff1() const noexcept { return ff1_; }

 private:
    MaskKeys(const crypto::HmacSha256& mac, crypto::Ff1 ff1) noexcept : mac_(mac), ff1_(std::move(ff1)) {}
    crypto::HmacSha256 mac_;
    crypto::Ff1 ff1_;
};

}  // namespace hoopguard::mask
