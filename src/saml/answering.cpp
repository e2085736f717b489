#include "saml/answering.hpp"

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "saml/reading.hpp"
#include "saml/signature.hpp"

#include <algorithm>

namespace hoopguard::saml {
namespace {

std::vector<std::string> texts_at(const base::Json& object, std::string_view name) {
    std::vector<std::string> texts;
    const base::Json* const member = object.member(name);
    if (member != nullptr && member->array() != nullptr)
        for (const base::Json& one : *member->array())
            if (one.text() != nullptr) texts.push_back(*one.text());
    return texts;
}

std::string text_at(const base::Json& object, std::string_view name) {
    const base::Json* const member = object.member(name);
    return member != nullptr && member->text() != nullptr ? *member->text() : std::string();
}

TrustedProvider read_provider(const base::Json& object) {
    TrustedProvider provider;
    provider.issuer = text_at(object, "issuer");
    provider.algorithms = texts_at(object, "algorithms");
    for (const std::string& text : texts_at(object, "certificates"))
        if (auto certificate = base::from_base64(text)) provider.certificates.push_back(std::move(*certificate));
    return provider;
}

base::Result<Accepted> accept(const Document& document, const Signed& found, const TrustedProvider& provider,
                              std::size_t place) {
    if (std::ranges::find(provider.algorithms, found.algorithm) == provider.algorithms.end())
        return base::fail("the provider does not sign with " + found.algorithm);
    const auto bytes = signed_bytes(document, found, provider.certificates);
    if (!bytes) return bytes.error();
    auto assertion = read_assertion(*bytes, found.id);
    if (!assertion) return assertion.error();
    if (assertion->issuer != provider.issuer) return base::fail("the assertion is of another issuer");
    return Accepted{place, std::move(*assertion)};
}

base::Result<Accepted> ask(const base::Json& question) {
    const auto xml = base::from_base64(text_at(question, "response"));
    if (!xml) return base::fail("the response is not base64");
    std::vector<TrustedProvider> providers;
    const base::Json* const list = question.member("providers");
    if (list != nullptr && list->array() != nullptr)
        for (const base::Json& one : *list->array()) providers.push_back(read_provider(one));
    return verify_response(*xml, providers);
}

}  // namespace

base::Result<Accepted> verify_response(base::ByteView xml, const std::vector<TrustedProvider>& providers) {
    if (xml.size() > identify::kLongestResponse) return base::fail("the response is too long");
    std::string reason;
    for (std::size_t i = 0; i < providers.size(); ++i) {
        // Anew for each: an ID is given to a document once, and what was looked at is not to be believed again.
        const auto document = Document::parse(xml);
        if (!document) return document.error();
        const auto found = find_signed(*document);
        if (!found) return found.error();
        if (reason.empty())
            reason = "no enabled SAML provider has issuer " + base::json_quoted(found->issuer.substr(0, 255));
        if (found->issuer.empty() || found->issuer != providers[i].issuer) continue;
        auto accepted = accept(*document, *found, providers[i], i);
        if (accepted) return accepted;
        reason = accepted.error().message;
    }
    return base::fail(reason.empty() ? "there is no SAML provider" : std::move(reason));
}

std::string answer(std::string_view question) {
    base::JsonWriter json;
    const auto parsed = base::Json::parse(question);
    const auto accepted = parsed ? ask(*parsed) : base::Result<Accepted>(base::fail("the question is not JSON"));
    if (accepted) {
        json.number("provider", accepted->provider);
        json.json("assertion", accepted->assertion.to_json());
    } else {
        json.text("reason", accepted.error().message);
    }
    return json.object();
}

}  // namespace hoopguard::saml
