// Ed25519, HMAC and what guards their keys, against the standards' examples.
#include "crypto/signature.hpp"

#include "base/text.hpp"
#include "crypto/mac.hpp"
#include "crypto/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hoopguard::crypto {
namespace {

base::Bytes hex(std::string_view text) {
    return *base::from_hex(text);
}

// RFC 8032 section 7.1, tests 1 to 3.
TEST(Signature, MatchesTheStandard) {
    const struct {
        const char *seed, *key, *message, *signature;
    } cases[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46"
                  "bd25bf5f0595bbe"
                  "24655141438e7a100b"},
                 {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8"
                  "c387b2eaeb4302a"
                  "eeb00d291612bb0c00"},
                 {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc65"
                  "94a7c15e9716ed2"
                  "8dc027beceea1ec40a"}};
    for (const auto& example : cases) {
        const auto key = SigningKey::from_seed(hex(example.seed));
        ASSERT_TRUE(key);
        EXPECT_EQ(base::to_hex(key->public_key()), example.key);
        base::Bytes message = hex(example.message);
        auto signature = key->sign(message);
        ASSERT_TRUE(signature);
        EXPECT_EQ(base::to_hex(*signature), example.signature);
        EXPECT_TRUE(verify_signature(key->public_key(), message, *signature));
        EXPECT_FALSE(verify_signature(key->public_key(), message, base::ByteView(*signature).first(63)));
        (*signature)[0] ^= 1;
        EXPECT_FALSE(verify_signature(key->public_key(), message, *signature));
        (*signature)[0] ^= 1;
        message.push_back(0);
        EXPECT_FALSE(verify_signature(key->public_key(), message, *signature));
    }
}

TEST(Signature, RefusesASeedOfAnotherLength) {
    const auto key = SigningKey::from_seed(base::Bytes(31));
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().message, "an Ed25519 seed has 32 bytes, not 31");
}

// RFC 4231 section 4, tests 1, 2 and 6.
TEST(Mac, MatchesTheStandard) {
    EXPECT_EQ(base::to_hex(HmacSha256(base::Bytes(20, 0x0b)).update(base::bytes_of("Hi There")).finish()),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(
        base::to_hex(
            HmacSha256(base::bytes_of("Jefe")).update(base::bytes_of("what do ya want for nothing?")).finish()),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(base::to_hex(HmacSha256(base::Bytes(131, 0xaa))
                               .update(base::bytes_of("Test Using Larger Than Block-Size Key - "))
                               .update(base::bytes_of("Hash Key First"))
                               .finish()),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Mac, AKeyedCopySumsAgain) {
    const HmacSha256 keyed(base::bytes_of("key"));
    const Digest first = HmacSha256(keyed).update(base::bytes_of("a")).finish();
    const Digest second = HmacSha256(keyed).update(base::bytes_of("b")).finish();
    EXPECT_EQ(first, HmacSha256(base::bytes_of("key")).update(base::bytes_of("a")).finish());
    EXPECT_NE(first, second);
}

TEST(Secret, MovesWithoutLeavingACopy) {
    Secret secret(base::Bytes{1, 2, 3});
    const Secret moved(std::move(secret));
    EXPECT_TRUE(secret.empty());
    EXPECT_TRUE(equal_in_constant_time(moved.view(), base::Bytes{1, 2, 3}));
    EXPECT_FALSE(equal_in_constant_time(moved.view(), base::Bytes{1, 2, 4}));
    EXPECT_FALSE(equal_in_constant_time(moved.view(), base::Bytes{1, 2}));
    EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(Secret, WipesBytes) {
    base::Bytes bytes(40, 7);
    wipe(bytes);
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; }));
}

TEST(Random, GivesDifferentBytes) {
    const auto first = random_secret(32);
    const auto second = random_secret(32);
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(equal_in_constant_time(first->view(), second->view()));
}

}  // namespace
}  // namespace hoopguard::crypto
