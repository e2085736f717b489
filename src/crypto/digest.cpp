// SHA-256 (FIPS 180-4) as a value.
// The low-level functions of OpenSSL, deprecated but supported: EVP costs an allocation for each digest,
// which a tree of small leaves pays hundreds of thousands of times a second.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.hpp"

#include <openssl/sha.h>

#include <new>

namespace hoopguard::crypto {
namespace {

SHA256_CTX* context(std::uint8_t* state) noexcept {
    return std::launder(reinterpret_cast<SHA256_CTX*>(state));
}

}  // namespace

Sha256::Sha256() noexcept {
    static_assert(sizeof(SHA256_CTX) == sizeof(state_) && alignof(SHA256_CTX) <= alignof(Sha256));
    SHA256_Init(new (state_) SHA256_CTX);
}

Sha256& Sha256::update(base::ByteView bytes) noexcept {
    SHA256_Update(context(state_), bytes.data(), bytes.size());
    return *this;
}

Digest Sha256::finish() noexcept {
    Digest digest;
    SHA256_Final(digest.data(), context(state_));
    return digest;
}

Digest sha256(base::ByteView bytes) noexcept {
    return Sha256().update(bytes).finish();
}

Digest sha256(std::uint8_t prefix, base::ByteView first, base::ByteView second) noexcept {
    return Sha256().update({&prefix, 1}).update(first).update(second).finish();
}

}  // namespace hoopguard::crypto
