// Whatever bytes a client sends as a token, and a provider as its keys: nothing crashes, and nothing is verified
// that the key here did not sign. What it did sign ("S", header, claims) is verified only if it says what it must.
#include "identify/token.hpp"

#include "demand.hpp"
#include "token_signer.hpp"

using namespace hoopguard;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

identify::TokenRules rules() {
    identify::TokenRules rules;
    rules.issuer = "https://id.example";
    rules.audience = {"postgres"};
    for (const auto name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"})
        rules.algorithms.push_back(*crypto::parse_token_algorithm(name));
    return rules;
}

void judge_signed(std::string_view header, std::string_view claims) {
    static const identify::TokenSigner signer("EdDSA");
    static const auto keys = identify::KeySet::parse(signer.set("k1"));
    const std::string text = signer.sign(header, claims);
    const auto token = identify::SignedText::parse(text);
    if (!token) return;
    const auto verdict = identify::verify(*token, *keys, rules(), kNow);
    if (!verdict.verified()) return;
    demand(identify::claimed_issuer(*token) == rules().issuer);
    demand(!verdict.identity.subject.empty());
    demand(verdict.identity.expires_at > kNow - identify::kClockSkew);
    demand(header.find("EdDSA") != std::string_view::npos);
}

void judge_foreign(std::string_view text) {
    static const auto keys = identify::KeySet::parse(
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    const auto token = identify::SignedText::parse(text);
    if (!token) return;
    (void)identify::claimed_issuer(*token);
    demand(!identify::verify(*token, *keys, rules(), kNow).verified());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = base::text_of({data, size});
    const std::size_t cut = std::min(input.find('\n'), input.size());
    const std::string_view text = input.substr(0, cut);
    const std::string_view rest = input.substr(std::min(cut + 1, input.size()));
    if (text.starts_with('S')) {
        judge_signed(text.substr(1), rest);
        return 0;
    }
    (void)identify::KeySet::parse(rest);
    if (const auto claims = base::Json::parse(text)) (void)identify::claim_at(*claims, "a.b.c");
    judge_foreign(text);
    return 0;
}
