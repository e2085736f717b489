// Whatever bytes a client sends as a token, and a provider as its keys: nothing crashes, and nothing is verified
// that the one key here did not sign.
#include "identify/token.hpp"

#include <cstdlib>

using namespace hoopguard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = base::text_of({data, size});
    const std::size_t cut = input.find('\n');
    const std::string_view text = input.substr(0, cut);
    static const auto fixed = identify::KeySet::parse(
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    identify::TokenRules rules;
    rules.issuer = "https://id.example";
    rules.audience = {"postgres"};
    for (const auto name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"})
        rules.algorithms.push_back(*crypto::parse_token_algorithm(name));
    if (cut != std::string_view::npos) (void)identify::KeySet::parse(input.substr(cut + 1));
    if (const auto claims = base::Json::parse(text)) (void)identify::claim_at(*claims, "a.b.c");
    const auto token = identify::SignedText::parse(text);
    if (!token) return 0;
    (void)identify::claimed_issuer(*token);
    if (identify::verify(*token, *fixed, rules, 1'800'000'000).verified()) std::abort();
    return 0;
}
