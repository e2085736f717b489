// Kept key sets: the same answer as reading anew, and no old key for a new set.
#include "identify/key_cache.hpp"

#include "token_signer.hpp"

#include <gtest/gtest.h>

namespace hoopguard::identify {
namespace {

using Found = KeySet::Found;

Found find(KeyCache& cache, const std::string& set, const std::optional<std::string>& id) {
    const auto& keys = cache.keys(set, id);
    return keys ? keys->choose(id, crypto::TokenAlgorithm::kEs256).found : Found::kAmbiguous;
}

TEST(KeyCache, keeps_what_it_has_read) {
    const TokenSigner signer("ES256");
    KeyCache cache;
    const auto* const first = &cache.keys(signer.set("k1"), "k1");
    EXPECT_TRUE(first->ok());
    EXPECT_EQ(first, &cache.keys(signer.set("k1"), "k1"));
    EXPECT_EQ(find(cache, signer.set("k1"), "k1"), Found::kOne);
    EXPECT_EQ(find(cache, signer.set("k1"), std::nullopt), Found::kOne);
    EXPECT_EQ(find(cache, signer.set("k1"), "k2"), Found::kNone);
}

TEST(KeyCache, a_changed_set_is_another_one) {
    const TokenSigner before("ES256");
    const TokenSigner after("ES256");
    KeyCache cache;
    const auto key = [&](const TokenSigner& of) {
        return cache.keys(of.set("k1"), "k1")->choose("k1", crypto::TokenAlgorithm::kEs256).key;
    };
    const auto* const old_key = key(before);
    ASSERT_NE(old_key, nullptr);
    EXPECT_NE(old_key, key(after));
    EXPECT_EQ(find(cache, R"({"keys":[]})", "k1"), Found::kNone);
    EXPECT_FALSE(cache.keys("{", "k1").ok());
    EXPECT_EQ(old_key, key(before));
}

TEST(KeyCache, is_bounded) {
    const TokenSigner signer("ES256");
    KeyCache cache;
    const std::string oldest = signer.set("0");
    const auto* const first = &cache.keys(oldest, "0");
    // A set without that key takes no place.
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(find(cache, oldest, "unknown" + std::to_string(i)), Found::kNone);
    EXPECT_EQ(first, &cache.keys(oldest, "0"));
    for (std::size_t i = 1; i <= 2 * KeyCache::kMostSets; ++i) {
        const std::string id = std::to_string(i);
        EXPECT_EQ(find(cache, signer.set(id), id), Found::kOne);
    }
    EXPECT_EQ(find(cache, oldest, "0"), Found::kOne);
}

}  // namespace
}  // namespace hoopguard::identify
