// X.509 by OpenSSL.
#include "crypto/certificate.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string_view>

namespace hoopguard::crypto {
namespace {

struct FreeCertificate {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

// What fails here must not look like a fault of the server's next TLS call.
struct KeepErrorQueue {
    KeepErrorQueue() noexcept { ERR_set_mark(); }
    ~KeepErrorQueue() { ERR_pop_to_mark(); }
};

bool is_accepted_curve(const EVP_PKEY* key) noexcept {
    std::array<char, 64> name = {};
    if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return false;
    const std::string_view curve = name.data();
    return curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1";
}

}  // namespace

base::Status check_certificate(base::ByteView der) {
    const KeepErrorQueue queue;
    const unsigned char* at = der.data();
    const std::unique_ptr<X509, FreeCertificate> certificate(
        d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate || at != der.data() + der.size()) return base::fail("an X.509 certificate cannot be read");
    const EVP_PKEY* const key = X509_get0_pubkey(certificate.get());
    if (key == nullptr) return base::fail("the key of a certificate cannot be read");
    const int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_is_a(key, "RSA") == 1 ? bits >= 2048 && bits <= 8192
                                       : EVP_PKEY_is_a(key, "EC") == 1 && is_accepted_curve(key))
        return {};
    return base::fail(
        "the key of a certificate is neither RSA of 2048 to 8192 bits nor EC on P-256, P-384 or P-521");
}

}  // namespace hoopguard::crypto
