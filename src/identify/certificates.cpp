#include "identify/certificates.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "crypto/certificate.hpp"

#include <string>

namespace hoopguard::identify {
namespace {

base::Result<base::Bytes> read_certificate(const base::Json& key) {
    for (const std::string_view secret : {"d", "k"})
        if (key.member(secret) != nullptr) return base::fail("the set shows a secret key");
    const base::Json* const chain = key.member("x5c");
    const auto* const texts = chain != nullptr ? chain->array() : nullptr;
    if (texts == nullptr || texts->empty() || texts->front().text() == nullptr)
        return base::fail("a key has no certificate: \"x5c\", a list of texts");
    auto der = base::from_base64(*texts->front().text());
    if (!der) return base::fail("\"x5c\" is not a certificate in base64");
    if (auto status = crypto::check_certificate(*der); !status) return status.error();
    return std::move(*der);
}

}  // namespace

base::Result<std::vector<base::Bytes>> parse_certificates(std::string_view json) {
    const auto set = base::Json::parse(json);
    const base::Json* const keys = set ? set->member("keys") : nullptr;
    if (keys == nullptr || keys->array() == nullptr || keys->array()->empty() ||
        keys->array()->size() > kMostCertificates)
        return base::fail("the certificates are not {\"keys\": [{\"x5c\": [\"MII...\"]}]}, one to ten of them");
    std::vector<base::Bytes> certificates;
    for (const base::Json& key : *keys->array()) {
        auto certificate = read_certificate(key);
        if (!certificate) return certificate.error();
        certificates.push_back(std::move(*certificate));
    }
    return certificates;
}

}  // namespace hoopguard::identify
