// Random bytes fit for keys and nonces.
#include "crypto/random.hpp"

#include <openssl/rand.h>

namespace hoopguard::crypto {

base::Status fill_random(std::span<std::uint8_t> bytes) noexcept {
    if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return base::fail("OpenSSL gave no random bytes");
    return {};
}

base::Result<Secret> random_secret(std::size_t size) {
    Secret secret(size);
    if (base::Status filled = fill_random(secret.bytes()); !filled) return filled.error();
    return secret;
}

}  // namespace hoopguard::crypto
