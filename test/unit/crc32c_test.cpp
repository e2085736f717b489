// CRC-32C against published values, and its two implementations against each other.
#include "base/crc32c.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace hoopguard::base {
namespace {

// RFC 3720 appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, MatchesPublishedValues) {
    Bytes bytes(32, 0);
    EXPECT_EQ(crc32c_extend(0, bytes), 0x8A9136AAu);
    EXPECT_EQ(crc32c_extend_by_table(0, bytes), 0x8A9136AAu);
    bytes.assign(32, 0xFF);
    EXPECT_EQ(crc32c_extend(0, bytes), 0x62A8AB43u);
    std::iota(bytes.begin(), bytes.end(), 0);
    EXPECT_EQ(crc32c_extend(0, bytes), 0x46DD794Eu);
    EXPECT_EQ(crc32c_extend(0, bytes_of("123456789")), 0xE3069283u);
    EXPECT_EQ(crc32c_extend(0, ByteView{}), 0u);
}

TEST(Crc32c, JoinsAtEveryPlaceAndOnBothPaths) {
    Bytes bytes(67);
    std::iota(bytes.begin(), bytes.end(), 100);
    const ByteView all(bytes);
    const std::uint32_t whole = crc32c_extend(0, all);
    EXPECT_EQ(crc32c_extend_by_table(0, all), whole);
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        EXPECT_EQ(crc32c_extend(crc32c_extend(0, all.first(cut)), all.subspan(cut)), whole);
        EXPECT_EQ(crc32c_extend_by_table(crc32c_extend(0, all.first(cut)), all.subspan(cut)), whole);
        EXPECT_EQ(crc32c_extend_by_table(0, all.first(cut)), crc32c_extend(0, all.first(cut)));
    }
}

TEST(Crc32c, NumberIsItsLittleEndianBytes) {
    const Bytes bytes = {8, 7, 6, 5, 4, 3, 2, 1};
    EXPECT_EQ(crc32c_extend_number(77, 0x0102030405060708), crc32c_extend(77, bytes));
}

}  // namespace
}  // namespace hoopguard::base
