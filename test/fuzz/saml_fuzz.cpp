// Whatever bytes a client sends as a SAML response: nothing crashes, and nothing is believed that the key here did
// not sign. The first byte chooses: "P" patches a response that it did sign, which then says what it said or is
// refused; "A" makes the rest the inside of an assertion and signs that; anything else is taken as it is.
#include "saml/answering.hpp"

#include "base/text.hpp"
#include "demand.hpp"
#include "saml_signer.hpp"

using namespace hoopguard;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::string_view kEcdsa = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

saml::Wanted wanted() {
    saml::Wanted one;
    one.algorithm = kEcdsa;
    return one;
}

const saml::SamlSigner& signer() {
    static const saml::SamlSigner one(true);
    return one;
}

base::Result<saml::Accepted> judge(std::string_view xml) {
    static const std::vector<saml::TrustedProvider> trusted = {
        {"https://idp.example", {"RS256", "ES256"}, {signer().certificate()}}};
    return saml::verify_response(base::bytes_of(xml), trusted);
}

// offset (2 bytes), bytes to leave out (2), length of what takes their place (1), and that; again and again.
std::string patched(std::string text, std::string_view patches) {
    while (patches.size() >= 5) {
        const auto number = [&](std::size_t at) {
            return static_cast<std::size_t>(static_cast<unsigned char>(patches[at])) << 8 |
                   static_cast<unsigned char>(patches[at + 1]);
        };
        const std::size_t at = number(0) % (text.size() + 1);
        const std::size_t out = number(2) % 512;
        const std::size_t in = std::min<std::size_t>(static_cast<unsigned char>(patches[4]), patches.size() - 5);
        text.replace(at, std::min(out, text.size() - at), patches.substr(5, in));
        patches.remove_prefix(5 + in);
    }
    return text;
}

void judge_patched(std::string_view patches) {
    static const std::string good = signer().response(wanted());
    static const std::string said = judge(good)->assertion.to_json();
    const auto result = judge(patched(good, patches));
    if (result) demand(result->assertion.to_json() == said);
}

void judge_signed(std::string_view inside) {
    saml::Wanted one = wanted();
    one.attributes = inside;
    std::string xml;
    try {
        xml = signer().response(one);
    } catch (const std::exception&) {
        return;  // not XML
    }
    const auto result = judge(xml);
    if (!result) return;
    identify::TokenRules rules;
    rules.issuer = "https://idp.example";
    rules.audience = {"urn:database"};
    const auto again = base::Json::parse(result->assertion.to_json());
    demand(again.ok());
    const auto verdict = identify::verify(*identify::Assertion::from_json(*again), rules, kNow);
    if (!verdict.accepted) return;
    demand(!verdict.identity.subject.empty() && base::Json::parse(verdict.identity.claims).ok());
    demand(verdict.identity.expires_at > kNow - identify::kClockSkew);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = base::text_of({data, size});
    (void)signer();
    if (input.starts_with('P')) {
        judge_patched(input.substr(1));
    } else if (input.starts_with('A')) {
        judge_signed(input.substr(1));
    } else {
        demand(!judge(input).ok());
        (void)base::Json::parse(saml::answer(input));
        (void)identify::as_saml_response(input);
    }
    return 0;
}
