// HMAC-SHA-256 (RFC 2104, FIPS 198-1).
// The key's two inner states are computed once; a sum allocates nothing.
#pragma once

#include "crypto/digest.hpp"

namespace hoopguard::crypto {

class HmacSha256 {
 public:
    explicit HmacSha256(base::ByteView key) noexcept;
    HmacSha256(const HmacSha256&) = default;
    ~HmacSha256();

    HmacSha256& update(base::ByteView bytes) noexcept;
    // The sum of all that was given; the object is spent afterwards. Keep a keyed copy to sum again.
    Digest finish() noexcept;

 private:
    Sha256 inner_;
    Sha256 outer_;
};

}  // namespace hoopguard::crypto
