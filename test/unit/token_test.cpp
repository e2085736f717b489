// Tokens: what is verified, and every forgery that is known, refused for its own reason.
#include "identify/token.hpp"

#include "token_signer.hpp"

#include <gtest/gtest.h>

namespace hoopguard::identify {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::string_view kHeader = R"({"alg":"ES256","kid":"k1","typ":"JWT"})";

TokenRules rules() {
    TokenRules result;
    result.issuer = "https://id.example";
    result.audience = {"postgres", "shop"};
    for (const auto name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"})
        result.algorithms.push_back(*crypto::parse_token_algorithm(name));
    return result;
}

// Claims that are right; `more` comes after them, and a member of `without` is left out.
std::string claims(const std::string& more = "", std::string_view without = "") {
    const std::pair<std::string_view, std::string> members[] = {{"iss", R"("https://id.example")"},
                                                                {"aud", R"("postgres")"},
                                                                {"sub", R"("agent-7")"},
                                                                {"iat", std::to_string(kNow - 10)},
                                                                {"exp", std::to_string(kNow + 600)},
                                                                {"jti", R"("t-1")"}};
    std::string text;
    for (const auto& [name, value] : members) {
        if (name == without) continue;
        text += (text.empty() ? "{\"" : ",\"") + std::string(name) + "\":" + value;
    }
    return text + more + "}";
}

const TokenSigner& signer() {
    static const TokenSigner one("ES256");
    return one;
}

Verdict judge(const std::string& token, const std::string& set, const TokenRules& with = rules(),
              std::int64_t now = kNow) {
    const auto parsed = SignedText::parse(token);
    const auto keys = KeySet::parse(set);
    Verdict verdict;
    if (!parsed)
        verdict.reason = parsed.error().message;
    else if (!keys)
        verdict.reason = keys.error().message;
    else
        return verify(*parsed, *keys, with, now);
    return verdict;
}

Verdict judge_claims(const std::string& text) {
    return judge(signer().sign(kHeader, text), signer().set("k1"));
}

void expect_refused(const Verdict& verdict, std::string_view reason) {
    EXPECT_FALSE(verdict.verified());
    EXPECT_NE(verdict.reason.find(reason), std::string::npos) << verdict.reason;
    EXPECT_TRUE(verdict.identity.subject.empty());
}

TEST(Token, IsVerifiedWithEveryAlgorithm) {
    for (const std::string name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"}) {
        const TokenSigner provider(name);
        const auto header = R"({"alg":")" + name + R"(","kid":"k1"})";
        const auto verdict = judge(provider.sign(header, claims()), provider.set("k1"));
        EXPECT_TRUE(verdict.verified()) << name << ": " << verdict.reason;
        auto narrow = rules();
        std::erase(narrow.algorithms, *crypto::parse_token_algorithm(name));
        expect_refused(judge(provider.sign(header, claims()), provider.set("k1"), narrow), "does not sign with");
    }
}

TEST(Token, SaysWhoSpeaks) {
    const auto verdict = judge_claims(
        claims(R"(,"groups":["analysts","eu"],"act":{"sub":"dana"},"realm":{"roles":["x"]},"pi":3.5e0)"));
    ASSERT_TRUE(verdict.verified()) << verdict.reason;
    EXPECT_EQ(verdict.identity.subject, "agent-7");
    EXPECT_EQ(verdict.identity.groups, (std::vector<std::string>{"analysts", "eu"}));
    EXPECT_EQ(verdict.identity.on_behalf_of, "dana");
    EXPECT_EQ(verdict.identity.token_id, "t-1");
    EXPECT_EQ(verdict.identity.expires_at, kNow + 600);
    EXPECT_EQ(*base::Json::parse(verdict.identity.claims)->member("sub")->text(), "agent-7");
}

TEST(Token, FindsClaimsByNameOrPath) {
    auto with = rules();
    with.subject_claim = "act.sub";
    with.delegation_claim = "sub";
    with.groups_claim = "https://id.example/groups";
    const auto token = signer().sign(kHeader, claims(R"(,"act":{"sub":"bot"},"https://id.example/groups":"one")"));
    const auto verdict = judge(token, signer().set("k1"), with);
    ASSERT_TRUE(verdict.verified()) << verdict.reason;
    EXPECT_EQ(verdict.identity.subject, "bot");
    EXPECT_EQ(verdict.identity.on_behalf_of, "agent-7");
    EXPECT_EQ(verdict.identity.groups, std::vector<std::string>{"one"});
    with.groups_claim = "realm.client.roles";
    const auto deep =
        judge(signer().sign(kHeader, claims(R"(,"act":{"sub":"bot"},"realm":{"client":{"roles":["a"]}})")),
              signer().set("k1"), with);
    EXPECT_EQ(deep.identity.groups, std::vector<std::string>{"a"});
}

TEST(Token, RefusesEveryAlgorithmButSignatures) {
    const auto set = signer().set("k1");
    const auto body = base64url(claims());
    for (const std::string name : {"none", "None", "NONE", "HS256", "HS512", "RS1", "ES512", "", "es256"})
        expect_refused(judge(base64url(R"({"alg":")" + name + R"(","kid":"k1"})") + "." + body + ".AAAA", set),
                       "is not accepted");
    expect_refused(judge(base64url(R"({"alg":"none"})") + "." + body + ".", set), "is not accepted");
    expect_refused(judge(base64url(R"({"kid":"k1"})") + "." + body + ".AAAA", set), "is not accepted");
    expect_refused(judge(base64url(R"({"alg":["ES256"],"kid":"k1"})") + "." + body + ".AAAA", set), "not a text");
}

// The public key as the secret of an HMAC: the classic confusion of algorithms.
TEST(Token, RefusesHmacWithThePublicKey) {
    const auto text = base64url(R"({"alg":"HS256","kid":"k1"})") + "." + base64url(claims());
    const auto set = signer().set("k1");
    std::uint8_t sum[32];
    HMAC(EVP_sha256(), set.data(), static_cast<int>(set.size()), base::bytes_of(text).data(), text.size(), sum,
         nullptr);
    expect_refused(judge(text + "." + base64url(base::ByteView(sum)), set), "is not accepted");
}

TEST(Token, RefusesWhatBringsItsOwnKey) {
    const TokenSigner attacker("ES256");
    for (const std::string& more :
         {R"("jwk":)" + attacker.jwk(""), std::string(R"("jku":"https://evil.example")"),
          std::string(R"("x5u":"https://evil.example")"), std::string(R"("x5c":["MII"])"),
          std::string(R"("crit":["exp"])"), std::string(R"("b64":false)"), std::string(R"("zip":"DEF")")}) {
        const auto header = R"({"alg":"ES256","kid":"k1",)" + more + "}";
        expect_refused(judge(attacker.sign(header, claims()), signer().set("k1")), "is not accepted");
        expect_refused(judge(signer().sign(header, claims()), signer().set("k1")), "is not accepted");
    }
}

TEST(Token, RefusesWrongSignatures) {
    const auto set = signer().set("k1");
    const auto good = signer().sign(kHeader, claims());
    const auto head = good.substr(0, good.rfind('.'));
    expect_refused(judge(TokenSigner("ES256").sign(kHeader, claims()), set), "signature is wrong");
    expect_refused(judge(head + "." + base64url(base::Bytes(64)), set), "signature is wrong");
    expect_refused(judge(head + "." + base64url(base::Bytes(32)), set), "signature is wrong");
    expect_refused(judge(head + "." + base64url(base::Bytes(100, 0xFF)), set), "signature is wrong");
    expect_refused(judge(head + ".", set), "not signed");
    auto changed = claims();
    changed.replace(changed.find("agent-7"), 7, "agent-8");
    expect_refused(judge(base64url(kHeader) + "." + base64url(changed) + good.substr(good.rfind('.')), set),
                   "signature is wrong");
}

TEST(Token, RefusesWhatIsNotExactlyThreeParts) {
    const auto set = signer().set("k1");
    const auto good = signer().sign(kHeader, claims());
    ASSERT_TRUE(judge(good, set).verified());
    for (const auto& bad :
         {std::string(), std::string("a"), std::string("a.b"), good + ".", good + ".AAAA", "." + good})
        expect_refused(judge(bad, set), "three parts");
    for (const auto& bad : {good + "=", good + " ", " " + good, good + "\n", std::string(good).insert(5, "+")})
        expect_refused(judge(bad, set), "base64url");
    // The last character of 64 bytes carries unused bits: another spelling of the same signature.
    auto other = good;
    other.back() = other.back() == 'A' ? 'B' : static_cast<char>(other.back() + 1);
    EXPECT_FALSE(judge(other, set).verified());
    expect_refused(judge(signer().sign(kHeader, claims(R"(,"x":")" + std::string(100'000, 'x') + "\"")), set),
                   "bytes; at most");
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += "[";
    for (int i = 0; i < 100; ++i) deep += "]";
    expect_refused(judge_claims(claims(",\"x\":" + deep)), "nested too deeply");
}

TEST(Token, RefusesRepeatedMembers) {
    expect_refused(judge_claims(claims(R"(,"sub":"admin")")), "repeats");
    expect_refused(judge_claims(claims(R"(,"su\u0062":"admin")")), "repeats");
    expect_refused(
        judge(signer().sign(R"({"alg":"ES256","kid":"k1","alg":"none"})", claims()), signer().set("k1")),
        "repeats");
}

TEST(Token, RefusesWhatIsForOthersOrAnotherTime) {
    expect_refused(judge_claims(claims(R"(,"iss":"https://evil.example")", "iss")), "another issuer");
    expect_refused(judge_claims(claims(R"(,"iss":"https://id.example/")", "iss")), "another issuer");
    expect_refused(judge_claims(claims("", "iss")), "another issuer");
    expect_refused(judge_claims(claims(R"(,"aud":"mysql")", "aud")), "another audience");
    expect_refused(judge_claims(claims(R"(,"aud":["mysql",["postgres"]])", "aud")), "another audience");
    expect_refused(judge_claims(claims("", "aud")), "no audience");
    EXPECT_TRUE(judge_claims(claims(R"(,"aud":["mysql","shop"])", "aud")).verified());
    expect_refused(judge_claims(claims("", "exp")), "never expires");
    expect_refused(judge_claims(claims(R"(,"exp":"1900000000")", "exp")), "not a time");
    expect_refused(judge_claims(claims(R"(,"exp":-1)", "exp")), "not a time");
    expect_refused(judge_claims(claims(R"(,"exp":1e300)", "exp")), "not a time");
    expect_refused(judge_claims(claims(",\"exp\":" + std::to_string(kNow - 60), "exp")), "expired");
    EXPECT_TRUE(judge_claims(claims(",\"exp\":" + std::to_string(kNow - 59), "exp")).verified());
    EXPECT_TRUE(judge_claims(claims(",\"exp\":" + std::to_string(kNow + 60) + ".5", "exp")).verified());
    expect_refused(judge_claims(claims(",\"exp\":" + std::to_string(kNow + 100'000), "exp")), "more than a day");
    expect_refused(judge_claims(claims(",\"nbf\":" + std::to_string(kNow + 61))), "not valid yet");
    EXPECT_TRUE(judge_claims(claims(",\"nbf\":" + std::to_string(kNow + 60))).verified());
    expect_refused(judge_claims(claims(",\"iat\":" + std::to_string(kNow + 61), "iat")), "in the future");
}

TEST(Token, RefusesWhatIsNoIdentity) {
    expect_refused(judge_claims(claims("", "sub")), "not a subject");
    expect_refused(judge_claims(claims(R"(,"sub":"")", "sub")), "not a subject");
    expect_refused(judge_claims(claims(R"(,"sub":7)", "sub")), "not a subject");
    expect_refused(judge_claims(claims(R"(,"sub":"a\u0000b")", "sub")), "not a subject");
    expect_refused(judge_claims(claims(",\"sub\":\"" + std::string(256, 'a') + "\"", "sub")), "not a subject");
    expect_refused(judge_claims(claims(R"(,"groups":{"a":1})")), "not a list");
    expect_refused(judge_claims(claims(R"(,"groups":["a",1])")), "not a group");
    expect_refused(judge_claims(claims(R"(,"act":{"iss":"x"})")), "on whose behalf");
    expect_refused(judge_claims(claims(R"(,"cnf":{"jkt":"x"})")), "bound to a key");
    expect_refused(judge_claims("[]"), "not a JSON object");
    expect_refused(judge_claims("{"), "not valid JSON");
    for (const std::string type : {"logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""})
        expect_refused(judge(signer().sign(R"({"alg":"ES256","kid":"k1","typ":")" + type + "\"}", claims()),
                             signer().set("k1")),
                       "of type");
    for (const std::string type : {"JWT", "at+jwt", "application/at+jwt", "AT+JWT"})
        EXPECT_TRUE(judge(signer().sign(R"({"alg":"ES256","kid":"k1","typ":")" + type + "\"}", claims()),
                          signer().set("k1"))
                        .verified());
}

TEST(Token, IsOfTheKeyItNames) {
    const TokenSigner next("ES256");
    const auto both = "{\"keys\":[" + signer().jwk(R"(,"kid":"k1")") + "," + next.jwk(R"(,"kid":"k2")") + "]}";
    EXPECT_TRUE(judge(signer().sign(kHeader, claims()), both).verified());
    EXPECT_TRUE(judge(next.sign(R"({"alg":"ES256","kid":"k2"})", claims()), both).verified());
    expect_refused(judge(next.sign(kHeader, claims()), both), "signature is wrong");
    expect_refused(judge(signer().sign(R"({"alg":"ES256"})", claims()), both), "several keys");
    EXPECT_TRUE(judge(signer().sign(R"({"alg":"ES256"})", claims()), signer().set("k1")).verified());
    const auto unknown = judge(signer().sign(R"({"alg":"ES256","kid":"k3"})", claims()), both);
    EXPECT_EQ(unknown.outcome, Verdict::Outcome::kUnknownKey);
    const auto twice = "{\"keys\":[" + signer().jwk(R"(,"kid":"k1")") + "," + next.jwk(R"(,"kid":"k1")") + "]}";
    expect_refused(judge(signer().sign(kHeader, claims()), twice), "several keys");
}

TEST(KeySet, TakesOnlyPublicKeysForSignatures) {
    const auto count = [](const std::string& keys) {
        const auto set = KeySet::parse("{\"keys\":[" + keys + "]}");
        return set ? static_cast<int>(set->keys().size()) : -1;
    };
    EXPECT_EQ(count(signer().jwk("")), 1);
    EXPECT_EQ(count(signer().jwk(R"(,"use":"sig","key_ops":["verify"],"alg":"ES256")")), 1);
    EXPECT_EQ(count(signer().jwk(R"(,"use":"enc")")), 0);
    EXPECT_EQ(count(signer().jwk(R"(,"key_ops":["sign"])")), 0);
    EXPECT_EQ(count(signer().jwk(R"(,"alg":"ES512")")), 0);
    EXPECT_EQ(count(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"), 0);
    EXPECT_EQ(count(signer().jwk(R"(,"alg":"RS256")")), -1);
    EXPECT_EQ(count(signer().jwk(R"(,"d":"AA")")), -1);
    EXPECT_EQ(count(R"({"kty":"oct","k":"AA"})"), -1);
    EXPECT_EQ(count(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"), -1);
    // A point beside the curve, and coordinates of another size.
    EXPECT_EQ(count(R"({"kty":"EC","crv":"P-256","x":")" + base64url(base::Bytes(32, 1)) + R"(","y":")" +
                    base64url(base::Bytes(32, 2)) + "\"}"),
              -1);
    EXPECT_EQ(count(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"), -1);
    EXPECT_FALSE(KeySet::parse("[]"));
    EXPECT_FALSE(KeySet::parse(std::string(300'000, ' ')));
}

}  // namespace
}  // namespace hoopguard::identify
