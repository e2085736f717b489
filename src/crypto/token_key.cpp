// Public keys of tokens over OpenSSL's EVP interface.
#include "crypto/token_key.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace hoopguard::crypto {
namespace {

template <auto kFree>
struct Free {
    template <class Object>
    void operator()(Object* object) const noexcept {
        kFree(object);
    }
};
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

// OpenSSL's error queue belongs to the whole process: what fails here must not look like a fault of the next
// TLS call of the server.
struct KeepErrorQueue {
    KeepErrorQueue() noexcept { ERR_set_mark(); }
    ~KeepErrorQueue() { ERR_pop_to_mark(); }
};

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;
constexpr int kMostExponentBits = 33;
constexpr std::size_t kMostDerSignature = 128;

// One r and s of P-384, with room.
using DerSignature = std::array<std::uint8_t, kMostDerSignature>;

// Whether a modulus was made by the library of CVE-2017-15361 (ROCA), whose keys can be factored: its primes are
// powers of 65537 modulo each of these. A good key passes for one in 2^27.
bool is_roca_vulnerable(const BIGNUM* modulus) noexcept {
    constexpr unsigned kPrimes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
    for (const unsigned prime : kPrimes) {
        const auto rest = static_cast<unsigned>(BN_mod_word(modulus, prime));
        unsigned power = 1;
        do power = power * (65537 % prime) % prime;
        while (power != rest && power != 1);
        if (power != rest) return false;
    }
    return true;
}

Number number(base::ByteView bytes) noexcept {
    return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

EVP_PKEY* from_parameters(const char* type, OSSL_PARAM* parameters) noexcept {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return nullptr;
    return key;
}

// r and s side by side as the DER that OpenSSL reads; 0 when they are no signature.
int to_der(base::ByteView signature, DerSignature& der) noexcept {
    const std::size_t half = signature.size() / 2;
    Number r = number(signature.first(half));
    Number s = number(signature.subspan(half));
    const EcSignature pair(ECDSA_SIG_new());
    if (!r || !s || !pair || BN_is_zero(r.get()) || BN_is_zero(s.get())) return 0;
    if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return 0;
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
    if (size <= 0 || static_cast<std::size_t>(size) > der.size()) return 0;
    unsigned char* at = der.data();
    return i2d_ECDSA_SIG(pair.get(), &at);
}

const EVP_MD* digest_of(TokenAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case TokenAlgorithm::kEs384: return EVP_sha384();
        case TokenAlgorithm::kEdDsa: return nullptr;  // hashes by itself
        case TokenAlgorithm::kRs256:
        case TokenAlgorithm::kPs256:
        case TokenAlgorithm::kEs256: break;
    }
    return EVP_sha256();
}

std::size_t signature_size(TokenAlgorithm algorithm, EVP_PKEY* key) noexcept {
    switch (algorithm) {
        case TokenAlgorithm::kEs256: return 64;
        case TokenAlgorithm::kEs384: return 96;
        case TokenAlgorithm::kEdDsa: return 64;
        case TokenAlgorithm::kRs256:
        case TokenAlgorithm::kPs256: break;
    }
    return static_cast<std::size_t>(EVP_PKEY_get_size(key));
}

// RFC 7518 section 3.5: MGF1 with the same digest, a salt as long as it.
bool ask_for_pss(EVP_PKEY_CTX* context) noexcept {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

std::optional<TokenAlgorithm> parse_token_algorithm(std::string_view name) noexcept {
    for (const auto algorithm : {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256, TokenAlgorithm::kEs256,
                                 TokenAlgorithm::kEs384, TokenAlgorithm::kEdDsa})
        if (name == to_text(algorithm)) return algorithm;
    return std::nullopt;
}

std::string_view to_text(TokenAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case TokenAlgorithm::kRs256: return "RS256";
        case TokenAlgorithm::kPs256: return "PS256";
        case TokenAlgorithm::kEs256: return "ES256";
        case TokenAlgorithm::kEs384: return "ES384";
        case TokenAlgorithm::kEdDsa: break;
    }
    return "EdDSA";
}

void TokenKey::Release::operator()(void* key) const noexcept {
    EVP_PKEY_free(static_cast<EVP_PKEY*>(key));
}

base::Result<TokenKey> TokenKey::rsa(base::ByteView modulus, base::ByteView exponent) {
    const KeepErrorQueue keep;
    const Number n = number(modulus);
    const Number e = number(exponent);
    if (!n || !e) return base::fail("out of memory");
    if (BN_num_bits(n.get()) < kLeastRsaBits || BN_num_bits(n.get()) > kMostRsaBits || BN_is_odd(n.get()) == 0)
        return base::fail("an RSA key has an odd modulus of 2048 to 8192 bits");
    if (BN_num_bits(e.get()) < 2 || BN_num_bits(e.get()) > kMostExponentBits || BN_is_odd(e.get()) == 0)
        return base::fail("an RSA key has an odd exponent of 3 to 2^33");
    if (is_roca_vulnerable(n.get())) return base::fail("the RSA key can be factored (CVE-2017-15361)");
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return base::fail("out of memory");
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    EVP_PKEY* const key = parameters ? from_parameters("RSA", parameters.get()) : nullptr;
    if (key == nullptr) return base::fail("OpenSSL refused the RSA key");
    return TokenKey(Kind::kRsa, key);
}

base::Result<TokenKey> TokenKey::on_curve(Kind kind, base::ByteView x, base::ByteView y) {
    const KeepErrorQueue keep;
    const std::size_t size = kind == Kind::kP256 ? 32 : 48;
    if (x.size() != size || y.size() != size)
        return base::fail("the coordinates of an EC key have " + std::to_string(size) + " bytes each");
    base::Bytes point(1 + 2 * size);
    point[0] = 4;  // uncompressed
    std::copy(y.begin(), y.end(), std::copy(x.begin(), x.end(), point.begin() + 1));
    char group[] = "P-256";
    if (kind == Kind::kP384) std::memcpy(group, "P-384", sizeof group);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end()};
    // A point that is not on the curve is refused here.
    EVP_PKEY* const key = from_parameters("EC", parameters);
    if (key == nullptr) return base::fail("OpenSSL refused the EC key");
    return TokenKey(kind, key);
}

base::Result<TokenKey> TokenKey::p256(base::ByteView x, base::ByteView y) {
    return on_curve(Kind::kP256, x, y);
}

base::Result<TokenKey> TokenKey::p384(base::ByteView x, base::ByteView y) {
    return on_curve(Kind::kP384, x, y);
}

base::Result<TokenKey> TokenKey::ed25519(base::ByteView point) {
    const KeepErrorQueue keep;
    if (point.size() != 32) return base::fail("an Ed25519 key has 32 bytes");
    EVP_PKEY* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, point.data(), point.size());
    if (key == nullptr) return base::fail("OpenSSL refused the Ed25519 key");
    return TokenKey(Kind::kEd25519, key);
}

bool TokenKey::fits(TokenAlgorithm algorithm) const noexcept {
    switch (algorithm) {
        case TokenAlgorithm::kRs256:
        case TokenAlgorithm::kPs256: return kind_ == Kind::kRsa;
        case TokenAlgorithm::kEs256: return kind_ == Kind::kP256;
        case TokenAlgorithm::kEs384: return kind_ == Kind::kP384;
        case TokenAlgorithm::kEdDsa: break;
    }
    return kind_ == Kind::kEd25519;
}

bool TokenKey::verify(TokenAlgorithm algorithm, base::ByteView message, base::ByteView signature) const noexcept {
    const KeepErrorQueue keep;
    auto* const key = static_cast<EVP_PKEY*>(key_.get());
    if (!fits(algorithm) || signature.size() != signature_size(algorithm, key)) return false;
    DerSignature der;
    if (kind_ == Kind::kP256 || kind_ == Kind::kP384) {
        const int size = to_der(signature, der);
        if (size <= 0) return false;
        signature = base::ByteView(der).first(static_cast<std::size_t>(size));
    }
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* details = nullptr;
    if (!context || EVP_DigestVerifyInit(context.get(), &details, digest_of(algorithm), nullptr, key) != 1)
        return false;
    if (algorithm == TokenAlgorithm::kPs256 && !ask_for_pss(details)) return false;
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
           1;
}

}  // namespace hoopguard::crypto
