// FF1 against the samples that NIST publishes with SP 800-38G.
#include "crypto/ff1.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include <string>
#include <vector>

namespace hoopguard::crypto {
namespace {

base::Bytes from_hex(std::string_view hex) {
    base::Bytes bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    return bytes;
}

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

std::vector<std::uint16_t> numerals_of(std::string_view text) {
    std::vector<std::uint16_t> numerals;
    for (const char c : text) numerals.push_back(static_cast<std::uint16_t>(kDigits.find(c)));
    return numerals;
}

std::string text_of(const std::vector<std::uint16_t>& numerals) {
    std::string text;
    for (const auto one : numerals) text += kDigits[one];
    return text;
}

struct Sample {
    const char* key;
    std::uint32_t radix;
    const char* tweak;
    const char* plain;
    const char* cipher;
};

constexpr const char* kKey128 = "2B7E151628AED2A6ABF7158809CF4F3C";
constexpr const char* kKey192 = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F";
constexpr const char* kKey256 = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";

constexpr Sample kSamples[] = {
    {kKey128, 10, "", "0123456789", "2433477484"},
    {kKey128, 10, "39383736353433323130", "0123456789", "6124200773"},
    {kKey128, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
    {kKey192, 10, "", "0123456789", "2830668132"},
    {kKey192, 10, "39383736353433323130", "0123456789", "2496655549"},
    {kKey192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
    {kKey256, 10, "", "0123456789", "6657667009"},
    {kKey256, 10, "39383736353433323130", "0123456789", "1001623463"},
    {kKey256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
};

TEST(Ff1, PublishedSamples) {
    for (const Sample& sample : kSamples) {
        auto const ff1 = Ff1::from_key(from_hex(sample.key));
        ASSERT_TRUE(ff1.ok());
        auto numerals = numerals_of(sample.plain);
        auto const tweak = from_hex(sample.tweak);
        ASSERT_TRUE(ff1->encrypt(sample.radix, tweak, numerals));
        EXPECT_EQ(text_of(numerals), sample.cipher);
        ASSERT_TRUE(ff1->decrypt(sample.radix, tweak, numerals));
        EXPECT_EQ(text_of(numerals), sample.plain);
    }
}

TEST(Ff1, ComesBackForEveryLengthAndRadix) {
    auto const ff1 = Ff1::from_key(from_hex(kKey256));
    ASSERT_TRUE(ff1.ok());
    for (const std::uint32_t radix : {2u, 10u, 26u, 36u, 256u, 65536u}) {
        for (std::size_t count = 2; count <= Ff1::longest(radix); ++count) {
            std::vector<std::uint16_t> numerals(count);
            for (std::size_t i = 0; i < count; ++i)
                numerals[i] = static_cast<std::uint16_t>((i * 40503 + count) % radix);
            auto const before = numerals;
            ASSERT_TRUE(ff1->encrypt(radix, {}, numerals)) << radix << " " << count;
            if (count > 40) {
                EXPECT_NE(numerals, before);
            }
            ASSERT_TRUE(ff1->decrypt(radix, {}, numerals));
            EXPECT_EQ(numerals, before) << radix << " " << count;
        }
    }
}

// Products of 128 bits wrap around: what a half may hold is compared with logarithms, for every radix.
TEST(Ff1, KnowsHowLongItMayBeInEveryRadix) {
    constexpr long double kBits = 119;
    constexpr long double kSlack = 1e-9L;
    for (std::uint32_t radix = 2; radix <= 65536; ++radix) {
        auto const half = static_cast<long double>(Ff1::longest(radix)) / 2;
        auto const bits = std::log2(static_cast<long double>(radix));
        ASSERT_LE(half * bits, kBits + kSlack) << radix;
        ASSERT_GE((half + 1) * bits, kBits - kSlack) << radix;
    }
    auto const ff1 = Ff1::from_key(from_hex(kKey128));
    std::vector<std::uint16_t> numerals(17, 5000);
    EXPECT_FALSE(ff1->encrypt(20644, {}, numerals));
}

TEST(Ff1, RefusesWhatItCannotDo) {
    auto const ff1 = Ff1::from_key(from_hex(kKey128));
    ASSERT_TRUE(ff1.ok());
    std::vector<std::uint16_t> one = {1};
    EXPECT_FALSE(ff1->encrypt(10, {}, one));
    std::vector<std::uint16_t> many(Ff1::longest(10) + 2, 1);
    auto const before = many;
    EXPECT_FALSE(ff1->encrypt(10, {}, many));
    EXPECT_EQ(many, before);
    EXPECT_FALSE(Ff1::from_key(from_hex("00")).ok());
}

}  // namespace
}  // namespace hoopguard::crypto
