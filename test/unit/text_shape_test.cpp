#include "record/text_shape.hpp"

#include "crypto/mac.hpp"
#include "record/redaction.hpp"
#include "record/secrets.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace hoopguard::record {
namespace {

std::string shape_of(std::string_view text) {
    std::string shape(text.size(), '?');
    write_shape(text, shape.data());
    return shape;
}

TEST(TextShape, plain_numbers_are_alike) {
    EXPECT_EQ(shape_of("SELECT a FROM t WHERE id = 4711;"), "SELECT a FROM t WHERE id = 1111;");
    EXPECT_EQ(shape_of("VALUES (5, 23, -42, 'x')"), "VALUES (1, 11, -11, 'x')");
    EXPECT_EQ(shape_of("WHERE a=98765432"), "WHERE a=11111111");
    EXPECT_EQ(shape_of("SET b = b + 73 WHERE c IN (8,9)"), "SET b = b + 11 WHERE c IN (1,1)");
}

// What the detector looks at more closely stays as it is.
TEST(TextShape, other_numbers_stay) {
    for (std::string_view const text :
         {"id = 123456789", "tel +2345678", "a +(2345678)", "id = 0123", "a 12-34-5678", "x = 4111 1111 1111",
          "born 3/5/80", "v = 10.0.0.1", "t2 = $2", "col_3, e'4", "1.5e3", "P<2345678 ", "sk-2345678 ", "at 12:30",
          "5 first", "AB 23 45 67"}) {
        EXPECT_EQ(shape_of(text), text);
    }
}

TEST(TextShape, says_whether_it_replaced) {
    std::string shape(16, '?');
    EXPECT_TRUE(write_shape("SELECT a = 2", shape.data()));
    EXPECT_FALSE(write_shape("SELECT a = $2", shape.data()));
    EXPECT_FALSE(write_shape("SELECT a", shape.data()));
    EXPECT_FALSE(write_shape("", shape.data()));
}

TEST(TextShape, words_announce_numbers) {
    for (std::string_view const text : {"passport 2345678", "phone = 2345678", "born 12 May", "password = 2345678",
                                        "SET pin_code = 4711", "api_key: 77", "ssn 2345678"})
        EXPECT_TRUE(announces_numbers(text)) << text;
    for (std::string_view const text : {"SELECT a FROM t WHERE id = 4711", "password and 5", "id: 5", ""})
        EXPECT_FALSE(announces_numbers(text)) << text;
}

bool finds_anything(const std::string& text) {
    std::uint8_t const key[32] = {};
    Tokens const tokens(key);
    return !find_secrets(text, true).empty() || !redact_statement(text, 0, true, {}, tokens, {}).empty();
}

// The claim itself: of texts put together at random, no two of one shape are judged otherwise.
TEST(TextShape, texts_of_one_shape_are_judged_alike) {
    std::mt19937 random(20261126);
    static constexpr std::string_view kPieces[] = {
        " ",           " = ",        "=",     ",",         "(",     ")",  "-",  "+",     ".",     "/",
        ":",           "<",          ">",     ";",         "'",     "\n", "--", "WHERE", "id",    "tel",
        "Main Street", "5th Avenue", "A",     "AB",        "DE",    "sk", "$",  "@",     "x.com", "born",
        "passport",    "pin",        "token", "PASSWORD ", "P<UTO", "e",  "_",  "May",   "#",     "*"};
    int changed = 0;
    int found = 0;
    for (int round = 0; round < 600'000; ++round) {
        std::string text = "SELECT ";
        std::size_t const pieces = 2 + random() % 9;
        for (std::size_t i = 0; i < pieces; ++i) {
            if (random() % 2 == 0) {
                text += kPieces[random() % std::size(kPieces)];
            } else {
                std::size_t const digits = 1 + random() % 10;
                for (std::size_t d = 0; d < digits; ++d) text += static_cast<char>('0' + random() % 10);
            }
        }
        std::string shape(text.size(), '?');
        if (!write_shape(text, shape.data()) || announces_numbers(text)) continue;
        ++changed;
        bool const judged = finds_anything(text);
        found += judged ? 1 : 0;
        std::string other = text;
        for (std::size_t i = 0; i < other.size(); ++i) {
            bool const first = i == 0 || !(text[i - 1] >= '0' && text[i - 1] <= '9');
            bool const plain = shape[i] == '1' && (shape[i] != text[i] || text[i] == '1');
            if (plain && text[i] >= '0' && text[i] <= '9')
                other[i] = static_cast<char>((first ? '1' : '0') + random() % (first ? 9 : 10));
        }
        if (shape_of(other) != shape) continue;  // a '1' that was no plain number's
        ASSERT_EQ(finds_anything(other), judged) << text << "\n" << other;
    }
    EXPECT_GT(changed, 30'000);
    EXPECT_GT(found, 100);
}

}  // namespace
}  // namespace hoopguard::record
