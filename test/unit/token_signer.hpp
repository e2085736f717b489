// A provider in a test's pocket: makes keys, shows them as JSON Web Keys, and signs whatever it is told to.
#pragma once

#include "base/text.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hoopguard::identify {

inline std::string base64url(base::ByteView bytes) {
    std::string text = base::to_base64(bytes);
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

inline std::string base64url(std::string_view text) {
    return base64url(base::bytes_of(text));
}

class TokenSigner {
 public:
    explicit TokenSigner(std::string algorithm) : algorithm_(std::move(algorithm)) {
        if (algorithm_ == "RS256" || algorithm_ == "PS256") key_.reset(EVP_RSA_gen(2048));
        if (algorithm_ == "ES256") key_.reset(EVP_EC_gen("P-256"));
        if (algorithm_ == "ES384") key_.reset(EVP_EC_gen("P-384"));
        if (algorithm_ == "EdDSA") key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        if (!key_) throw std::runtime_error("no key for " + algorithm_);
    }

    // A JSON Web Key; `more` is put among its members.
    std::string jwk(const std::string& more) const {
        if (algorithm_ == "EdDSA") {
            base::Bytes point(32);
            std::size_t size = point.size();
            EVP_PKEY_get_raw_public_key(key_.get(), point.data(), &size);
            return R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url(point) + "\"" + more + "}";
        }
        if (algorithm_[1] == 'S' && algorithm_[0] != 'E')
            return R"({"kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
                   number(OSSL_PKEY_PARAM_RSA_E, 0) + "\"" + more + "}";
        const int size = algorithm_ == "ES256" ? 32 : 48;
        return R"({"kty":"EC","crv":")" + std::string(size == 32 ? "P-256" : "P-384") + R"(","x":")" +
               number(OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" + number(OSSL_PKEY_PARAM_EC_PUB_Y, size) +
               "\"" + more + "}";
    }

    std::string set(const std::string& kid) const {
        return "{\"keys\":[" + jwk(R"(,"kid":")" + kid + "\"") + "]}";
    }

    std::string sign(std::string_view header, std::string_view claims) const {
        const std::string text = base64url(header) + "." + base64url(claims);
        return text + "." + base64url(signature(text));
    }

    base::Bytes signature(const std::string& text) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
        EVP_PKEY_CTX* details = nullptr;
        const EVP_MD* const digest = algorithm_ == "EdDSA"   ? nullptr
                                     : algorithm_ == "ES384" ? EVP_sha384()
                                                             : EVP_sha256();
        EVP_DigestSignInit(context.get(), &details, digest, nullptr, key_.get());
        if (algorithm_ == "PS256") {
            EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING);
            EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST);
        }
        base::Bytes out(1024);
        std::size_t size = out.size();
        if (EVP_DigestSign(context.get(), out.data(), &size, base::bytes_of(text).data(), text.size()) != 1)
            throw std::runtime_error("cannot sign");
        out.resize(size);
        return algorithm_[0] == 'E' && algorithm_ != "EdDSA" ? side_by_side(out) : out;
    }

 private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };

    std::string number(const char* parameter, int size) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), parameter, &value);
        base::Bytes bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)));
        BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size()));
        BN_free(value);
        return base64url(bytes);
    }

    base::Bytes side_by_side(const base::Bytes& der) const {
        const unsigned char* at = der.data();
        ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
        const int half = algorithm_ == "ES256" ? 32 : 48;
        base::Bytes out(static_cast<std::size_t>(2 * half));
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), out.data(), half);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), out.data() + half, half);
        ECDSA_SIG_free(pair);
        return out;
    }

    std::string algorithm_;
    std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace hoopguard::identify
