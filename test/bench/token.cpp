// How long verifying a token takes: with its key read from the provider's JSON, as the first token of a connection
// has it; as further tokens of a connection have it, which finds the key by that JSON; and with the key at hand.
#include "identify/token.hpp"
#include "identify/key_cache.hpp"

#include "../unit/token_signer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace hoopguard::identify;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

template <class Work>
double median_microseconds(int rounds, Work work) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const auto begun = Clock::now();
        work();
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    }
    std::ranges::nth_element(times, times.begin() + rounds / 2);
    return times[static_cast<std::size_t>(rounds / 2)];
}

}  // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 2000;
    for (const std::string name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"}) {
        const TokenSigner signer(name);
        TokenRules rules;
        rules.issuer = "https://id.example";
        rules.audience = {"postgres"};
        rules.algorithms = {*hoopguard::crypto::parse_token_algorithm(name)};
        const auto token = signer.sign(
            R"({"alg":")" + name + R"(","kid":"k1","typ":"at+jwt"})",
            R"({"iss":"https://id.example","aud":"postgres","sub":"agent-7","groups":["analysts","eu"],"iat":)" +
                std::to_string(kNow) + ",\"exp\":" + std::to_string(kNow + 600) + "}");
        const auto set = signer.set("k1");
        const auto keys = KeySet::parse(set);
        int verified = 0;
        const auto judge = [&](const KeySet& with) {
            const auto parsed = SignedText::parse(token);
            verified += parsed && verify(*parsed, with, rules, kNow).verified();
        };
        const double at_hand = median_microseconds(rounds, [&] { judge(*keys); });
        const double anew = median_microseconds(rounds, [&] { judge(*KeySet::parse(set)); });
        KeyCache cache;
        const double again = median_microseconds(rounds, [&] { judge(*cache.keys(set, "k1")); });
        if (verified != 3 * rounds) return 1;
        std::printf(
            "verify a token, %-5s: %6.1f us; the first of a connection: %6.1f us; key at hand: %6.1f us "
            "(medians of %d)\n",
            name.c_str(), again, anew, at_hand, rounds);
    }
    return 0;
}
