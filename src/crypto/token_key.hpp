// Public keys that tokens are signed for, and the signatures of RFC 7518 and RFC 8037 that are accepted: no HMAC,
// no SHA-1, no "none". A key belongs to the process that made it.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace hoopguard::crypto {

enum class TokenAlgorithm : std::uint8_t { kRs256, kPs256, kEs256, kEs384, kEdDsa };
inline constexpr std::string_view kTokenAlgorithms = "RS256, PS256, ES256, ES384, EdDSA";

std::optional<TokenAlgorithm> parse_token_algorithm(std::string_view name) noexcept;
std::string_view to_text(TokenAlgorithm algorithm) noexcept;

class TokenKey {
 public:
    // Big-endian numbers. 2048 to 8192 bits, an odd exponent of 3 to 2^32.
    static base::Result<TokenKey> rsa(base::ByteView modulus, base::ByteView exponent);
    // A point on P-256 or P-384, coordinates of exactly the curve's size.
    static base::Result<TokenKey> p256(base::ByteView x, base::ByteView y);
    static base::Result<TokenKey> p384(base::ByteView x, base::ByteView y);
    static base::Result<TokenKey> ed25519(base::ByteView point);

    // Whether a signature of that algorithm can be this key's: the type of key, and for EC the curve.
    bool fits(TokenAlgorithm algorithm) const noexcept;
    // False for a wrong signature, for a key that does not fit, and for whatever keeps OpenSSL from finding it
    // right. EC signatures are r and s side by side (RFC 7518 section 3.4).
    bool verify(TokenAlgorithm algorithm, base::ByteView message, base::ByteView signature) const noexcept;

 private:
    enum class Kind : std::uint8_t { kRsa, kP256, kP384, kEd25519 };
    struct Release {
        void operator()(void* key) const noexcept;
    };
    TokenKey(Kind kind, void* key) noexcept : kind_(kind), key_(key) {}
    static base::Result<TokenKey> on_curve(Kind kind, base::ByteView x, base::ByteView y);

    Kind kind_;
    std::unique_ptr<void, Release> key_;  // EVP_PKEY
};

}  // namespace hoopguard::crypto
