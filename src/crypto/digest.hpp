// SHA-256 (FIPS 180-4) as a value.
// Holds no global state and allocates nothing, so it may be used anywhere, also before a fork.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>

namespace hoopguard::crypto {

using Digest = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
    Sha256() noexcept;
    Sha256& update(base::ByteView bytes) noexcept;
    // The digest of all that was given; the object is spent afterwards.
    Digest finish() noexcept;

 private:
    alignas(8) std::uint8_t state_[112];  // OpenSSL's SHA256_CTX
};

Digest sha256(base::ByteView bytes) noexcept;

// One block of a prefix byte and what follows it, as hash trees need it.
Digest sha256(std::uint8_t prefix, base::ByteView first, base::ByteView second = {}) noexcept;

}  // namespace hoopguard::crypto
