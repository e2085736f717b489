// Bytes that must not stay in memory.
#include "crypto/secret.hpp"

#include <openssl/crypto.h>

namespace hoopguard::crypto {

void wipe(std::span<std::uint8_t> bytes) noexcept {
    if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool equal_in_constant_time(base::ByteView a, base::ByteView b) noexcept {
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace hoopguard::crypto
