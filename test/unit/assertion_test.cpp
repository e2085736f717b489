// What a verified assertion must say to let its subject in, what becomes of its attributes, and that it does so
// once.
#include "identify/assertion.hpp"

#include "base/text.hpp"
#include "identify/certificates.hpp"
#include "identify/spent_assertions.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>

namespace hoopguard::identify {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kBearerMethod = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

TokenRules rules() {
    TokenRules result;
    result.issuer = "https://idp.example";
    result.audience = {"urn:database", "https://db.example/acs"};
    return result;
}

Assertion good() {
    Assertion one;
    one.id = "_a1";
    one.issuer = "https://idp.example";
    one.issued_at = kNow - 5;
    one.subject = "dana";
    one.confirmations = {{kBearerMethod, "https://db.example/acs", std::nullopt, kNow + 300}};
    one.not_before = kNow - 5;
    one.not_on_or_after = kNow + 600;
    one.audiences = {{"https://other.example", "urn:database"}};
    one.attributes = {{"groups", {"analysts", "leads"}}, {"urn:x:mail", {"dana@example.com"}}};
    return one;
}

std::string refusal(const Assertion& one, const TokenRules& with = rules(), std::int64_t now = kNow) {
    const AssertionVerdict verdict = verify(one, with, now);
    if (verdict.accepted) return "accepted";
    EXPECT_TRUE(verdict.identity.subject.empty());
    return verdict.reason;
}

TEST(Assertion, GivesAnIdentityAsATokenDoes) {
    const AssertionVerdict verdict = verify(good(), rules(), kNow);
    ASSERT_TRUE(verdict.accepted) << verdict.reason;
    EXPECT_EQ(verdict.identity.subject, "dana");
    EXPECT_EQ(verdict.identity.groups, (std::vector<std::string>{"analysts", "leads"}));
    EXPECT_EQ(verdict.identity.token_id, "_a1");
    EXPECT_EQ(verdict.identity.expires_at, kNow + 300);
    EXPECT_EQ(verdict.good_until, kNow + 300 + kClockSkew);
    const auto claims = base::Json::parse(verdict.identity.claims);
    ASSERT_TRUE(claims);
    EXPECT_EQ(*claim_at(*claims, "urn:x:mail")->text(), "dana@example.com");
    TokenRules mail = rules();
    mail.subject_claim = "urn:x:mail";
    EXPECT_EQ(verify(good(), mail, kNow).identity.subject, "dana@example.com");
    TokenRules acting = rules();
    acting.delegation_claim = "urn:x:mail";
    EXPECT_EQ(verify(good(), acting, kNow).identity.on_behalf_of, "dana@example.com");
}

TEST(Assertion, TheSessionMayLastLongerThanTheWindow) {
    Assertion one = good();
    one.session_end = kNow + 3600;
    EXPECT_EQ(verify(one, rules(), kNow).identity.expires_at, kNow + 3600);
    EXPECT_EQ(verify(one, rules(), kNow).good_until, kNow + 300 + kClockSkew);
    one.session_end = kNow + 100 * kLongestLife;
    EXPECT_EQ(verify(one, rules(), kNow).identity.expires_at, kNow + kLongestLife);
    one.session_end = kNow - 1;
    EXPECT_EQ(refusal(one), "the session that the assertion tells of is over");
}

TEST(Assertion, IssuerAudienceAndRecipientMustBeRight) {
    Assertion one = good();
    one.issuer = "https://idp.example/";
    EXPECT_EQ(refusal(one), "the assertion is of another issuer");
    EXPECT_EQ(refusal(good(), {}), "the assertion is of another issuer");
    one = good();
    one.audiences = {};
    EXPECT_EQ(refusal(one), "the assertion names no audience");
    one.audiences = {{"urn:database"}, {"https://other.example"}};
    EXPECT_EQ(refusal(one), "the assertion is for another audience");
    one.audiences = {{}};
    EXPECT_EQ(refusal(one), "the assertion is for another audience");
    one = good();
    one.confirmations[0].recipient = "https://evil.example/acs";
    EXPECT_EQ(refusal(one), "the assertion is for another recipient");
    one.confirmations[0].recipient = "";
    EXPECT_EQ(refusal(one), "the assertion is for another recipient");
    one.confirmations.push_back(good().confirmations[0]);
    EXPECT_EQ(refusal(one), "accepted");
    one.confirmations = {};
    EXPECT_EQ(refusal(one), "the assertion confirms no bearer");
    one = good();
    one.confirmations[0].method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
    EXPECT_EQ(refusal(one), "the assertion confirms no bearer");
}

TEST(Assertion, TimesMustBeRight) {
    EXPECT_EQ(refusal(good(), rules(), kNow + 300 + kClockSkew - 1), "accepted");
    EXPECT_EQ(refusal(good(), rules(), kNow + 300 + kClockSkew), "the assertion has expired");
    Assertion one = good();
    one.not_on_or_after = kNow - kClockSkew;
    EXPECT_EQ(refusal(one), "the assertion has expired");
    one.not_on_or_after.reset();
    EXPECT_EQ(refusal(one), "accepted");
    one.not_before = kNow + kClockSkew;
    EXPECT_EQ(refusal(one), "accepted");
    one.not_before = kNow + kClockSkew + 1;
    EXPECT_EQ(refusal(one), "the assertion is not valid yet");
    one = good();
    one.issued_at = kNow + kClockSkew + 1;
    EXPECT_EQ(refusal(one), "the assertion was issued in the future");
    one = good();
    one.confirmations[0].not_on_or_after.reset();
    EXPECT_EQ(refusal(one), "the bearer's confirmation must have NotOnOrAfter, and no NotBefore");
    one.confirmations[0] = {kBearerMethod, "urn:database", kNow - 5, kNow + 300};
    EXPECT_EQ(refusal(one), "the bearer's confirmation must have NotOnOrAfter, and no NotBefore");
    one.confirmations[0] = {kBearerMethod, "urn:database", std::nullopt, kNow + 2 * kLongestLife};
    one.not_on_or_after.reset();
    EXPECT_EQ(refusal(one), "the assertion is good for more than a day");
}

TEST(Assertion, AttributesTakeNoClaimsPlace) {
    Assertion one = good();
    one.attributes = {{"sub", {"admin"}}, {"iss", {"x"}}, {"exp", {"9999999999"}}, {"groups", {"analysts"}}};
    const AssertionVerdict verdict = verify(one, rules(), kNow);
    ASSERT_TRUE(verdict.accepted) << verdict.reason;
    EXPECT_EQ(verdict.identity.subject, "dana");
    EXPECT_EQ(verdict.identity.groups, std::vector<std::string>{"analysts"});
    TokenRules strange = rules();
    strange.subject_claim = "mail";
    EXPECT_EQ(refusal(good(), strange), "claim \"mail\" is not a subject: a text of 1 to 255 bytes");
    one.subject = "da\nna";
    EXPECT_EQ(refusal(one), "claim \"sub\" is not a subject: a text of 1 to 255 bytes");
}

TEST(Assertion, TravelsAsJson) {
    const auto json = base::Json::parse(good().to_json());
    ASSERT_TRUE(json);
    const auto back = Assertion::from_json(*json);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->to_json(), good().to_json());
    EXPECT_FALSE(Assertion::from_json(*base::Json::parse("{}")));
}

TEST(Assertion, IsToldFromAToken) {
    EXPECT_EQ(as_saml_response("\nPHNh\nbWw+\r\n"), "PHNhbWw+");
    EXPECT_FALSE(as_saml_response(" \n"));
    EXPECT_FALSE(as_saml_response("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"));
    EXPECT_FALSE(as_saml_response("PHNh.bWw+.AAAA"));
    EXPECT_FALSE(as_saml_response("geheim"));
    EXPECT_FALSE(as_saml_response(""));
}

class Spent : public testing::Test {
 protected:
    Spent() {
        char name[] = "/tmp/spent-XXXXXX";
        directory_ = mkdtemp(name);
    }
    ~Spent() override { (void)std::system(("rm -r '" + directory_ + "'").c_str()); }
    std::string directory_;
};

TEST_F(Spent, OnceUntilItsTimeIsOver) {
    const SpentAssertions spent(directory_);
    EXPECT_TRUE(*spent.spend("corp", "_a", kNow + 10, kNow));
    EXPECT_FALSE(*spent.spend("corp", "_a", kNow + 10, kNow));
    EXPECT_TRUE(*spent.spend("other", "_a", kNow + 10, kNow));
    EXPECT_TRUE(*spent.spend("corp", "_b", kNow + 100, kNow));
    // Somebody else, who knows only the file.
    EXPECT_FALSE(*SpentAssertions(directory_).spend("corp", "_a", kNow + 10, kNow + 9));
    EXPECT_TRUE(*SpentAssertions(directory_).spend("corp", "_a", kNow + 30, kNow + 10));
    EXPECT_FALSE(*SpentAssertions(directory_).spend("corp", "_b", kNow + 30, kNow + 10));
}

TEST_F(Spent, OneOfManyAtOnce) {
    std::vector<std::thread> all;
    all.reserve(8);
    std::atomic<int> first = 0;
    for (int i = 0; i < 8; ++i)
        all.emplace_back([&] {
            const auto result = SpentAssertions(directory_).spend("corp", "_a", kNow + 10, kNow);
            if (result && *result) ++first;
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(first, 1);
}

TEST_F(Spent, FailsClosed) {
    const SpentAssertions spent(directory_);
    std::ofstream(spent.path()) << "damaged";
    EXPECT_FALSE(spent.spend("corp", "_a", kNow + 10, kNow));
    EXPECT_FALSE(SpentAssertions(directory_ + "/nowhere").spend("corp", "_a", kNow + 10, kNow));
    std::ofstream(spent.path(), std::ios::trunc) << std::string(SpentAssertions::kMost * 40, '\x7f');
    EXPECT_EQ(spent.spend("corp", "_a", kNow + 10, kNow).error().message, "too many assertions were used lately");
}

std::string certificate(unsigned bits) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(bits), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> one(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(one.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(one.get()), 1000);
    X509_set_pubkey(one.get(), key.get());
    X509_sign(one.get(), key.get(), EVP_sha256());
    unsigned char* der = nullptr;
    const int size = i2d_X509(one.get(), &der);
    std::string text = base::to_base64({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return text;
}

TEST(Certificates, AreRead) {
    const std::string good = certificate(2048);
    const auto set = [](const std::string& text) { return R"({"keys":[{"x5c":[")" + text + "\"]}]}"; };
    const auto problem = [](const std::string& json) {
        const auto result = parse_certificates(json);
        return result ? "accepted" : result.error().message;
    };
    EXPECT_EQ(parse_certificates(set(good))->size(), 1u);
    EXPECT_EQ(problem(set(certificate(1024))),
              "the key of a certificate is neither RSA of 2048 to 8192 bits nor EC on P-256, P-384 or P-521");
    EXPECT_EQ(problem(set("AAAA")), "an X.509 certificate cannot be read");
    EXPECT_EQ(problem(set("-")), "\"x5c\" is not a certificate in base64");
    EXPECT_EQ(problem(R"({"keys":[{"kty":"RSA"}]})"), "a key has no certificate: \"x5c\", a list of texts");
    EXPECT_EQ(problem(R"({"keys":[{"d":"AA","x5c":[")" + good + "\"]}]}"), "the set shows a secret key");
    EXPECT_NE(problem(R"({"keys":[]})"), "accepted");
    EXPECT_NE(problem("[]"), "accepted");
}

}  // namespace
}  // namespace hoopguard::identify
