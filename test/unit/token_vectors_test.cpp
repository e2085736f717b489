// Signatures and keys against vectors from elsewhere: Wycheproof, and the examples of RFC 7515, 7520 and 8037.
#include "identify/signed_text.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <sstream>

namespace hoopguard::identify {
namespace {

base::Json read(const std::string& name) {
    std::ifstream file(std::string(TEST_DATA) + "/vectors/wycheproof/" + name);
    std::stringstream text;
    text << file.rdbuf();
    auto document = base::Json::parse(text.str());
    EXPECT_TRUE(document) << name << ": " << document.error().message;
    return document ? std::move(*document) : base::Json();
}

const std::string& text_of(const base::Json& object, std::string_view name) {
    static const std::string none;
    const auto* const member = object.member(name);
    return member != nullptr && member->text() != nullptr ? *member->text() : none;
}

// JSON again, without the members that hold secrets when `only_public`.
std::string written(const base::Json& value, bool only_public) {
    if (value.text() != nullptr) return base::json_quoted(*value.text());
    std::string out;
    if (const auto* const list = value.array()) {
        for (const auto& one : *list) out += (out.empty() ? "" : ",") + written(one, only_public);
        return "[" + out + "]";
    }
    if (value.object() == nullptr) return "null";
    for (const auto& [name, member] : *value.object()) {
        if (only_public &&
            (name == "d" || name == "p" || name == "q" || name == "dp" || name == "dq" || name == "qi"))
            continue;
        out += (out.empty() ? "" : ",") + base::json_quoted(name) + ":" + written(member, only_public);
    }
    return "{" + out + "}";
}

std::string set_of(const base::Json& group) {
    const auto* const key = group.member("public") != nullptr ? group.member("public") : group.member("private");
    const auto text = written(*key, true);
    return key->member("keys") != nullptr ? text : "{\"keys\":[" + text + "]}";
}

bool is_signed(const std::string& jws, const std::string& set) {
    const auto text = SignedText::parse(jws);
    const auto keys = KeySet::parse(set);
    return text && keys && text->check(*keys) == SignedText::Check::kSigned;
}

// Whether a vector is of an algorithm that is accepted here; "valid" says nothing about the others.
bool is_known(const std::string& jws) {
    const auto header = base::from_base64url(jws.substr(0, jws.find('.')));
    const auto json = header ? base::Json::parse(base::text_of(*header)) : base::fail("");
    return json && crypto::parse_token_algorithm(text_of(*json, "alg")).has_value();
}

struct Counts {
    int accepted = 0;
    int refused = 0;
    int of_other_algorithms = 0;
};

Counts run(const std::string& file) {
    Counts counts;
    const auto document = read(file);
    for (const auto& group : *document.member("testGroups")->array()) {
        const auto set = set_of(group);
        for (const auto& test : *group.member("tests")->array()) {
            const auto& jws = text_of(test, "jws");
            const bool valid = text_of(test, "result") == "valid" && is_known(jws);
            if (text_of(test, "result") == "valid" && !valid) ++counts.of_other_algorithms;
            EXPECT_EQ(is_signed(jws, set), valid)
                << file << " " << *test.member("tcId")->number() << ": " << text_of(test, "comment");
            ++(valid ? counts.accepted : counts.refused);
        }
    }
    std::cout << file << ": " << counts.accepted << " accepted, " << counts.refused << " refused, "
              << counts.of_other_algorithms << " of these valid with an algorithm that is not accepted here\n";
    return counts;
}

TEST(TokenVectors, JsonWebSignatures) {
    const auto counts = run("json_web_signature_test.json");
    EXPECT_EQ(counts.accepted + counts.refused, 401);
    EXPECT_GT(counts.accepted, 10);
}

TEST(TokenVectors, JsonWebKeys) {
    const auto counts = run("json_web_key_test.json");
    EXPECT_EQ(counts.accepted + counts.refused, 26);
}

TEST(TokenVectors, JsonWebCrypto) {
    const auto counts = run("json_web_crypto_test.json");
    EXPECT_EQ(counts.accepted + counts.refused, 83);
    EXPECT_EQ(counts.accepted, 2);
}

TEST(TokenVectors, Ed25519) {
    const auto document = read("ed25519_test.json");
    int accepted = 0;
    int refused = 0;
    for (const auto& group : *document.member("testGroups")->array()) {
        const auto key = crypto::TokenKey::ed25519(*base::from_hex(text_of(*group.member("publicKey"), "pk")));
        ASSERT_TRUE(key);
        for (const auto& test : *group.member("tests")->array()) {
            const bool valid = text_of(test, "result") == "valid";
            EXPECT_EQ(key->verify(crypto::TokenAlgorithm::kEdDsa, *base::from_hex(text_of(test, "msg")),
                                  *base::from_hex(text_of(test, "sig"))),
                      valid)
                << *test.member("tcId")->number() << ": " << text_of(test, "comment");
            ++(valid ? accepted : refused);
        }
    }
    std::cout << "ed25519_test.json: " << accepted << " accepted, " << refused << " refused\n";
    EXPECT_EQ(accepted + refused, 151);
}

constexpr const char* kPayload7515 =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

TEST(TokenVectors, Rfc7515AppendixA2) {
    EXPECT_TRUE(is_signed(
        std::string("eyJhbGciOiJSUzI1NiJ9.") + kPayload7515 +
            ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
            "O8W2Fp5jujGbds9uJdb"
            "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
            "eSN9383Lc"
            "OLn6_dO--xi12jzDwusC-"
            "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm"
            "tVrBp0igcN_IoypGlUPQGe77Rw",
        R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ)"
        "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
        "bSf63kpaSHSXndS5z5rexMdbB"
        "YUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-"
        "DWNmoudF8NAco9_h9"
        R"(iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]})"));
}

TEST(TokenVectors, Rfc7515AppendixA3) {
    EXPECT_TRUE(
        is_signed(std::string("eyJhbGciOiJFUzI1NiJ9.") + kPayload7515 +
                      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
                  R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                  R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})"));
}

TEST(TokenVectors, Rfc8037AppendixA4) {
    EXPECT_TRUE(is_signed(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
        "09PGcvMg3AIbQR6dWbhijcNR4"
        "ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"));
}

}  // namespace
}  // namespace hoopguard::identify
