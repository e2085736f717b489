// Ed25519 signatures (RFC 8032).
// A key belongs to the process that made it: nothing is shared, nothing is global.
#pragma once

#include "base/result.hpp"
#include "crypto/secret.hpp"

#include <array>
#include <memory>

namespace hoopguard::crypto {

inline constexpr std::size_t kSeedSize = 32;
using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

class SigningKey {
 public:
    // From the 32-byte private seed, which the caller keeps and wipes.
    static base::Result<SigningKey> from_seed(base::ByteView seed);

    const PublicKey& public_key() const noexcept { return public_key_; }
    base::Result<Signature> sign(base::ByteView message) const;

 private:
    struct Release {
        void operator()(void* key) const noexcept;
    };
    SigningKey() noexcept = default;

    std::unique_ptr<void, Release> key_;  // EVP_PKEY
    PublicKey public_key_{};
};

// False for a wrong signature, and for whatever keeps OpenSSL from finding it right.
bool verify_signature(const PublicKey& key, base::ByteView message, base::ByteView signature) noexcept;

}  // namespace hoopguard::crypto
