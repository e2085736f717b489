// Sealing to a public key: whoever seals cannot open. X25519 (RFC 7748) between the recipient's key and one of the
// sealing process, HKDF-SHA-256 (RFC 5869), AES-256-GCM with a counter as nonce (NIST SP 800-38D).
#pragma once

#include "base/result.hpp"
#include "crypto/secret.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hoopguard::crypto {

using SealingKey = std::array<std::uint8_t, 32>;

// "hoopguard-reveal:" and base64 of the 32 bytes.
std::string to_text(const SealingKey& key);
base::Result<SealingKey> parse_sealing_key(std::string_view text);

// Makes a key pair: the private one as PEM (PKCS #8), as `openssl genpkey -algorithm X25519` makes it.
struct SealingKeyPair {
    SealingKey public_key{};
    std::string private_pem;
};
base::Result<SealingKeyPair> make_sealing_keys();

// What is sealed for one recipient by one process. Version, first 8 bytes of the recipient's key's SHA-256, the
// process's public key, nonce, ciphertext, tag; so much longer than what is sealed:
inline constexpr std::size_t kSealOverhead = 1 + 8 + 32 + 12 + 16;

class Sealer {
 public:
    // Makes this process's key. A fork must make its own sealer: two with the same key would repeat nonces.
    static base::Result<Sealer> make(const SealingKey& recipient);

    // `bound` is not in the sealed text, but must be given again to open it.
    base::Result<base::Bytes> seal(base::ByteView text, base::ByteView bound);

 private:
    Sealer() = default;

    SealingKey recipient_{};
    SealingKey own_{};
    Secret key_;
    std::uint64_t sealed_ = 0;
};

// `private_key`: PEM. The error says whether it is the wrong key or the sealed text was altered.
base::Result<Secret> open_sealed(std::string_view private_key, base::ByteView sealed, base::ByteView bound);

}  // namespace hoopguard::crypto
