// Ed25519 signatures (RFC 8032).
#include "crypto/signature.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace hoopguard::crypto {
namespace {

struct ReleaseContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ReleaseContext>;

// OpenSSL's error queue belongs to the whole process: what fails here must not look like a fault of the next
// TLS call of the server.
struct KeepErrorQueue {
    KeepErrorQueue() noexcept { ERR_set_mark(); }
    ~KeepErrorQueue() { ERR_pop_to_mark(); }
};

struct ReleaseKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

}  // namespace

void SigningKey::Release::operator()(void* key) const noexcept {
    EVP_PKEY_free(static_cast<EVP_PKEY*>(key));
}

base::Result<SigningKey> SigningKey::from_seed(base::ByteView seed) {
    if (seed.size() != kSeedSize)
        return base::fail("an Ed25519 seed has 32 bytes, not " + std::to_string(seed.size()));
    const KeepErrorQueue keep;
    SigningKey signing;
    signing.key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    std::size_t size = signing.public_key_.size();
    if (!signing.key_ || EVP_PKEY_get_raw_public_key(static_cast<EVP_PKEY*>(signing.key_.get()),
                                                     signing.public_key_.data(), &size) != 1)
        return base::fail("OpenSSL refused the Ed25519 seed");
    return signing;
}

base::Result<Signature> SigningKey::sign(base::ByteView message) const {
    const KeepErrorQueue keep;
    const Context context(EVP_MD_CTX_new());
    Signature signature;
    std::size_t size = signature.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1 ||
        size != signature.size())
        return base::fail("OpenSSL could not sign with Ed25519");
    return signature;
}

bool verify_signature(const PublicKey& key, base::ByteView message, base::ByteView signature) noexcept {
    const KeepErrorQueue keep;
    const std::unique_ptr<EVP_PKEY, ReleaseKey> verifier(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const Context context(EVP_MD_CTX_new());
    return verifier && context && signature.size() == std::tuple_size_v<Signature> &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, verifier.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
               1;
}

}  // namespace hoopguard::crypto
