#include "record/plain_texts.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hoopguard::record {
namespace {

constexpr TextReading kUsual{true, true};

TEST(PlainTexts, knows_only_what_it_learned) {
    auto const texts = std::make_unique<PlainTexts>();
    EXPECT_FALSE(texts->knows("SELECT 1", kUsual));
    texts->learn("SELECT 1", kUsual);
    EXPECT_TRUE(texts->knows("SELECT 1", kUsual));
    EXPECT_FALSE(texts->knows("SELECT 2", kUsual));
    EXPECT_FALSE(texts->knows("SELECT 1 ", kUsual));
    EXPECT_FALSE(texts->knows("", kUsual));
}

TEST(PlainTexts, a_text_read_otherwise_is_another) {
    auto const texts = std::make_unique<PlainTexts>();
    texts->learn("SELECT 'a'", {false, true});
    EXPECT_FALSE(texts->knows("SELECT 'a'", kUsual));
    EXPECT_FALSE(texts->knows("SELECT 'a'", (TextReading{false, false})));
    EXPECT_TRUE(texts->knows("SELECT 'a'", (TextReading{false, true})));
}

// Texts of one length that differ in one byte: wherever they land, none is taken for another.
TEST(PlainTexts, is_never_mistaken) {
    auto const texts = std::make_unique<PlainTexts>();
    std::string text(100, 'x');
    texts->learn(text, kUsual);
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string other = text;
        other[at] = 'y';
        EXPECT_FALSE(texts->knows(other, kUsual)) << at;
    }
}

TEST(PlainTexts, long_texts_are_not_kept) {
    auto const texts = std::make_unique<PlainTexts>();
    std::string const longest(PlainTexts::kLongest, 'x');
    texts->learn(longest, kUsual);
    EXPECT_TRUE(texts->knows(longest, kUsual));
    texts->learn(longest + "x", kUsual);
    EXPECT_FALSE(texts->knows(longest + "x", kUsual));
}

}  // namespace
}  // namespace hoopguard::record
