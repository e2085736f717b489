// Text forms are strict in and harmless out.
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace hoopguard::base {
namespace {

TEST(Hex, RoundTripsAndRefusesUpperCase) {
    EXPECT_EQ(to_hex(bytes_of("\x01\xff")), "01ff");
    EXPECT_EQ(from_hex("01ff"), (Bytes{1, 255}));
    EXPECT_FALSE(from_hex("01F"));
    EXPECT_FALSE(from_hex("FF"));
    EXPECT_EQ(to_hex(std::uint64_t{0xabc}, 5), "00abc");
    EXPECT_EQ(parse_hex("ffffffffffffffff"), ~std::uint64_t{0});
    EXPECT_FALSE(parse_hex(""));
    EXPECT_FALSE(parse_hex("10000000000000000"));
}

// RFC 4648 section 10.
TEST(Base64, FollowsTheStandard) {
    const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : cases) {
        EXPECT_EQ(to_base64(bytes_of(plain)), encoded);
        const auto decoded = from_base64(encoded);
        ASSERT_TRUE(decoded) << encoded;
        EXPECT_EQ(text_of(*decoded), plain);
    }
}

TEST(Base64, HasOneSpellingPerValue) {
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v", "Zm9v "})
        EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Decimal, RefusesLeadingZerosSignsAndOverflow) {
    EXPECT_EQ(parse_decimal("0"), 0u);
    EXPECT_EQ(parse_decimal("18446744073709551615"), ~std::uint64_t{0});
    for (const char* bad :
         {"", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "99999999999999999999"})
        EXPECT_FALSE(parse_decimal(bad)) << bad;
}

TEST(Time, RoundTrips) {
    EXPECT_EQ(to_rfc3339(0, 0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(to_rfc3339(1709251199'123456789, 6), "2024-02-29T23:59:59.123456Z");
    EXPECT_EQ(parse_rfc3339("2024-02-29T23:59:59.123456789Z"), 1709251199'123456789u);
    EXPECT_EQ(parse_rfc3339("2024-03-01 01:29:59+01:30"), 1709251199'000000000u);
    EXPECT_EQ(parse_rfc3339("2024-02-29"), 1709164800'000000000u);
    EXPECT_EQ(parse_rfc3339("2400-02-29T00:00:00Z").has_value(), true);
    for (std::uint64_t day = 0; day < 584 * 365; day += 97) {
        const std::uint64_t time = day * 86400'000000000 + 12345;
        EXPECT_EQ(parse_rfc3339(to_rfc3339(time, 9)), time);
    }
}

TEST(Time, RefusesWhatIsNoTime) {
    for (const char* bad :
         {"", "2024", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "1969-12-31", "2554-01-01",
          "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00",
          "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "1970-01-01T00:00:00+00:01", "2024-01-01T00:00Z"})
        EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(Utf8, FollowsRfc3629) {
    for (const char* good : {"", "plain ascii of some length", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                             "eight bytes and \xC3\xA9 then more text", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "abcdefgh\xC3", "\xF0\x9F\x98"})
        EXPECT_FALSE(is_utf8(bad)) << to_hex(bytes_of(bad));
}

TEST(Printable, NoByteCommandsATerminal) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    all += "\xC2\x9B\xE2\x80\xAE\xE2\x81\xA6\x1B[2J";
    const std::string shown = printable(all);
    EXPECT_TRUE(is_utf8(shown));
    for (const char character : shown) {
        EXPECT_GE(static_cast<unsigned char>(character), 0x20);
        EXPECT_LT(static_cast<unsigned char>(character), 0x7F);
    }
    EXPECT_EQ(printable("a\x1B[31mb\r\n\t\\"), "a\\x1b[31mb\\r\\n\\t\\\\");
    EXPECT_EQ(printable("caf\xC3\xA9"), "caf\xC3\xA9");
    EXPECT_EQ(printable("\xE2\x80\xAE"), "\\u{202e}");
}

TEST(Json, QuotesEverythingThatMustBe) {
    EXPECT_EQ(json_quoted("a\"b\\c\n\x01\x7F"), "\"a\\\"b\\\\c\\n\\u0001\\u007f\"");
    EXPECT_EQ(json_quoted("\xFF\xC3\xA9"), "\"\xEF\xBF\xBD\xC3\xA9\"");
}

TEST(Session, IsSpelledAsPostgreSQLSpellsIt) {
    constexpr std::uint64_t kSession = 0x6553f10000000123;
    EXPECT_EQ(session_text(kSession), "6553f100.123");
    EXPECT_EQ(parse_session("6553f100.123"), kSession);
    for (auto text : {"", ".", "6553f100", "6553f100.", ".123", "6553F100.123", "06553f10.123", "6553f100.0123",
                      "6553f1000.1", "6553f100.123456789", "6553f100.12 ", "6553f100.-12"})
        EXPECT_EQ(parse_session(text), std::nullopt) << text;
}

}  // namespace
}  // namespace hoopguard::base
