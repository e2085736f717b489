// Keyed masks: equal values stay equal, different ones different, the shape of a value stays, and nothing of it
// shows.
#include "mask/keyed_text.hpp"
#include "mask/secret_file.hpp"
#include "mask/value_kernel.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>
#include <vector>

namespace hoopguard::mask {
namespace {

const MaskKeys& keys() {
    static const auto made = MaskKeys::from_secret(base::bytes_of("a secret of at least 16 bytes"));
    return *made;
}

std::string masked(std::string_view method, std::string_view value, std::uint32_t most = 0, bool padded = false) {
    MaskSpec spec;
    spec.method = *parse_method(method);
    spec.most_characters = most;
    spec.padded = padded;
    std::string out(room_for(spec, value.size()), '\xEE');
    out.resize(mask_text(spec, &keys(), utf8_step, value, out.data()));
    return out;
}

std::string shape(std::string text) {
    for (char& c : text)
        c = c >= '0' && c <= '9' ? '9' : c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : c;
    return text;
}

TEST(KeyedText, WithoutKeysItRedactsWithinItsRoom) {
    for (std::string_view const method : {"hash", "fpe", "pseudonym"})
        for (std::string_view const value : {"", "a", "Anna"}) {
            MaskSpec const spec{*parse_method(method)};
            std::vector<char> room(room_for(spec, value.size()));
            std::size_t const length = mask_text(spec, nullptr, utf8_step, value, room.data());
            EXPECT_EQ(std::string_view(room.data(), length), "***") << method << " of " << value;
        }
}

TEST(KeyedText, TokensAreEqualForEqualValuesAlone) {
    EXPECT_EQ(masked("hash", "anna").size(), kTokenSize);
    EXPECT_EQ(masked("hash", "anna"), masked("hash", "anna"));
    EXPECT_NE(masked("hash", "anna"), masked("hash", "anni"));
    EXPECT_EQ(masked("hash", "anna", 10), masked("hash", "anna").substr(0, 10));
    EXPECT_EQ(masked("hash", "anna  ", 40, true), masked("hash", "anna") + std::string(8, ' '));
    auto const other = MaskKeys::from_secret(base::bytes_of("another secret, also long"));
    char token[kTokenSize];
    put_token(*other, "anna", token);
    EXPECT_NE(masked("hash", "anna"), std::string(token, kTokenSize));
}

TEST(KeyedText, EncryptionKeepsTheShape) {
    for (auto const value :
         {"4111 1111 1111 1111", "123-45-6789", "+49 (30) 1234567", "Anna.Smith-42@Example.ORG", "a", "7", "AB12",
          "00000000", "no digits at all, but rather many letters in one value"}) {
        auto const result = masked("fpe", value);
        EXPECT_EQ(shape(result), shape(value)) << result;
        EXPECT_EQ(result, masked("fpe", value));
        if (std::string_view(value).size() > 6) {
            EXPECT_NE(result, value);
        }
    }
    EXPECT_EQ(masked("fpe", ""), "");
    EXPECT_EQ(masked("fpe", "- / -"), "- / -");
}

TEST(KeyedText, EncryptionHidesOtherCharacters) {
    auto const result = masked("fpe", "J\xC3\xBCrgen \xE6\x9D\x8E");
    EXPECT_EQ(result.size(), 8u);
    for (const char c : result) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

TEST(KeyedText, LongValuesAreEncryptedInPieces) {
    std::string const digits(10'001, '5');
    auto const result = masked("fpe", digits);
    EXPECT_EQ(result.size(), digits.size());
    EXPECT_EQ(shape(result), shape(digits));
    EXPECT_NE(result.substr(0, 56), result.substr(56, 56));
}

TEST(KeyedText, EncryptionOfSixDigitsMeetsNoOther) {
    std::set<std::string> seen;
    for (int i = 0; i < 5000; ++i) seen.insert(masked("fpe", std::to_string(100000 + i)));
    EXPECT_EQ(seen.size(), 5000u);
}

TEST(KeyedText, Pseudonyms) {
    auto const name = masked("pseudonym", "Anna Smith");
    EXPECT_EQ(name, masked("pseudonym", "Anna Smith"));
    EXPECT_NE(name, masked("pseudonym", "Anna Smyth"));
    EXPECT_LE(name.size(), kPseudonymSize);
    EXPECT_NE(name.find(' '), std::string::npos);
}

std::int64_t integer(std::string_view method, std::int64_t value, unsigned bits = 64) {
    return mask_integer(*parse_method(method), &keys(), value, bits);
}

TEST(Integers, HashIsAPermutationWithinTheType) {
    std::set<std::int64_t> seen;
    for (int i = -4000; i < 4000; ++i) seen.insert(integer("hash", i, 16));
    EXPECT_EQ(seen.size(), 8000u);
    EXPECT_GE(*seen.begin(), -32768);
    EXPECT_LE(*seen.rbegin(), 32767);
    EXPECT_EQ(integer("hash", 12345, 32), integer("hash", 12345, 64));
    for (auto const value : {INT64_MIN, INT64_MAX, std::int64_t{0}, std::int64_t{-1}})
        EXPECT_EQ(integer("hash", value) < 0, value < 0);
}

TEST(Integers, FpeKeepsDigitsAndSign) {
    for (auto const value : {std::int64_t{123456789}, std::int64_t{-987654}, std::int64_t{7},
                             std::int64_t{1000000}, INT64_MAX, INT64_MIN + 1}) {
        auto const result = integer("fpe", value);
        EXPECT_EQ(std::to_string(result).size(), std::to_string(value).size()) << value;
    }
    EXPECT_LE(integer("fpe", 2147483647, 32), 2147483647);
    EXPECT_LE(integer("fpe", 32767, 16), 32767);
    EXPECT_GE(integer("fpe", -32768, 16), -32768);
}

TEST(Integers, GeneralizeAndNoise) {
    EXPECT_EQ(integer("generalize(10)", 47), 40);
    EXPECT_EQ(integer("generalize(10)", -1), -10);
    EXPECT_EQ(integer("generalize(1000)", INT64_MIN), INT64_MIN);
    EXPECT_EQ(integer("generalize(100)", -32768, 16), -32768);
    EXPECT_EQ(integer("noise(0.1)", 1000), integer("noise(0.1)", 1000));
    bool moved = false;
    for (int i = 1000; i < 1100; ++i) {
        auto const noisy = integer("noise(0.1)", i);
        EXPECT_GE(noisy, i * 0.9 - 1);
        EXPECT_LE(noisy, i * 1.1 + 1);
        moved = moved || noisy != i;
    }
    EXPECT_TRUE(moved);
    EXPECT_LE(integer("noise(8)", 32767, 16), 32767);
    EXPECT_NO_FATAL_FAILURE(integer("noise(8)", INT64_MAX));
}

TEST(Reals, NothingInfiniteComesOut) {
    auto const hash = *parse_method("hash");
    EXPECT_EQ(mask_real(hash, &keys(), 0.0), mask_real(hash, &keys(), -0.0));
    EXPECT_EQ(mask_real(hash, &keys(), std::numeric_limits<double>::infinity()), 0);
    EXPECT_EQ(mask_real(hash, &keys(), std::numeric_limits<double>::quiet_NaN()), 0);
    EXPECT_EQ(mask_real(*parse_method("generalize(5)"), nullptr, -1.5), -5);
}

std::int32_t date(std::string_view method, std::int32_t days) {
    return mask_date(*parse_method(method), &keys(), days);
}

TEST(Times, AreRoundedDownOnTheCalendar) {
    EXPECT_EQ(date("generalize(year)", 0), 0);
    EXPECT_EQ(date("generalize(year)", 365), 0);        // 2000-12-31
    EXPECT_EQ(date("generalize(year)", 366), 366);      // 2001-01-01
    EXPECT_EQ(date("generalize(month)", 59), 31);       // 2000-02-29
    EXPECT_EQ(date("generalize(quarter)", 100), 91);    // 2000-04-10
    EXPECT_EQ(date("generalize(week)", 2), 2);          // 2000-01-03, a Monday
    EXPECT_EQ(date("generalize(week)", 1), -5);         // 1999-12-27
    EXPECT_EQ(date("generalize(decade)", -1), -3652);   // 1990-01-01
    EXPECT_EQ(date("generalize(century)", 0), -36159);  // 1901-01-01
    EXPECT_EQ(date("generalize(year)", -1), -365);      // 1999-01-01
    auto const minute = *parse_method("generalize(minute)");
    EXPECT_EQ(mask_time(minute, nullptr, 61'000'000), 60'000'000);
    EXPECT_EQ(mask_time(minute, nullptr, -1), -60'000'000);
    EXPECT_EQ(mask_time(*parse_method("generalize(day)"), nullptr, -1), -86'400'000'000);
    EXPECT_NO_FATAL_FAILURE(mask_time(*parse_method("noise(8)"), &keys(), INT64_MAX - 1));
    EXPECT_NO_FATAL_FAILURE(date("noise(8)", INT32_MAX - 1));
}

TEST(Bytes, HashAndEncryption) {
    for (std::size_t size : {0u, 1u, 2u, 3u, 24u, 25u, 26u, 27u, 100u, 1000u}) {
        base::Bytes const before(size, 0x41);
        auto hashed = before;
        mask_bytes(*parse_method("hash"), keys(), hashed);
        auto encrypted = before;
        mask_bytes(*parse_method("fpe"), keys(), encrypted);
        if (size < 3) continue;
        EXPECT_NE(hashed, before);
        EXPECT_NE(encrypted, before);
        EXPECT_NE(encrypted, hashed);
    }
    std::uint8_t address[] = {10, 20, 30, 255};
    keep_bits(address, 20);
    EXPECT_EQ(address[2], 16);
    EXPECT_EQ(address[3], 0);
}

TEST(Secret, IsMadeOnceAndReadByItsOwnerAlone) {
    char pattern[] = "/tmp/hoopguard-secret-XXXXXX";
    std::string const directory = std::string(mkdtemp(pattern)) + "/keys";
    auto& files = record::system_files();
    ASSERT_EQ(make_secret(files, directory), 0);
    std::uint8_t first[kSecretSize], second[kSecretSize];
    ASSERT_EQ(read_secret(files, directory, first), 0);
    ASSERT_EQ(make_secret(files, directory), 0);
    ASSERT_EQ(read_secret(files, directory, second), 0);
    EXPECT_TRUE(std::equal(first, first + kSecretSize, second));
    std::string const path = directory + "/" + kSecretName;
    struct stat facts;
    ASSERT_EQ(stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(read_secret(files, directory, second), EACCES);
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    ASSERT_EQ(truncate(path.c_str(), 5), 0);
    EXPECT_EQ(read_secret(files, directory, second), EIO);
    std::filesystem::remove_all(std::string(pattern));
}

}  // namespace
}  // namespace hoopguard::mask
