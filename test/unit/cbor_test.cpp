// Deterministic CBOR: published examples, the refusal of any other spelling, and overflow that stays put.
#include "record/cbor.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

template <class Write>
std::string written(Write write) {
    base::Bytes out;
    CborWriter cbor(out);
    write(cbor);
    cbor.trim();
    EXPECT_TRUE(cbor.ok());
    return base::to_hex(out);
}

// RFC 8949 appendix A.
TEST(CborWriter, WritesTheStandardsExamples) {
    const std::pair<std::uint64_t, const char*> numbers[] = {{0, "00"},
                                                             {10, "0a"},
                                                             {23, "17"},
                                                             {24, "1818"},
                                                             {100, "1864"},
                                                             {1000, "1903e8"},
                                                             {1000000, "1a000f4240"},
                                                             {255, "18ff"},
                                                             {256, "190100"},
                                                             {65535, "19ffff"},
                                                             {65536, "1a00010000"},
                                                             {4294967295, "1affffffff"},
                                                             {1000000000000, "1b000000e8d4a51000"},
                                                             {~0ull, "1bffffffffffffffff"}};
    for (const auto& [number, hex] : numbers)
        EXPECT_EQ(written([&](CborWriter& cbor) { cbor.unsigned_number(number); }), hex);
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.number(-1); }), "20");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.number(-1000); }), "3903e7");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.number(INT64_MIN); }), "3b7fffffffffffffff");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.number(5); }), "05");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.boolean(false), cbor.boolean(true), cbor.null(); }), "f4f5f6");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.text("IETF"); }), "6449455446");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.text("\xC3\xBC"); }), "62c3bc");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.bytes(base::Bytes{1, 2, 3, 4}); }), "4401020304");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.array(3), cbor.number(1), cbor.number(2), cbor.number(3); }),
              "83010203");
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.map(1), cbor.number(1), cbor.number(2); }), "a10102");
}

TEST(CborWriter, TextThatIsNotUtf8BecomesAByteString) {
    EXPECT_EQ(written([](CborWriter& cbor) { cbor.text("\xE9t\xE9"); }), "43e974e9");
}

TEST(CborWriter, StaysWithinItsBufferAtEverySize) {
    const auto write = [](CborWriter& cbor) {
        cbor.map(2);
        cbor.unsigned_number(1);
        cbor.text("twelve bytes");
        cbor.unsigned_number(70000);
        cbor.bytes(base::Bytes(30, 7));
    };
    base::Bytes whole;
    CborWriter growing(whole);
    write(growing);
    growing.trim();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        base::Bytes buffer(size + 8, 0xEE);
        CborWriter cbor(std::span<std::uint8_t>(buffer).first(size));
        write(cbor);
        EXPECT_EQ(cbor.ok(), size == whole.size());
        for (std::size_t i = size; i < buffer.size(); ++i) EXPECT_EQ(buffer[i], 0xEE) << size;
        // Once full, full: a shorter item must not slip in after one that did not fit.
        cbor.null();
        EXPECT_FALSE(cbor.ok());
    }
}

TEST(CborReader, ReadsWhatTheWriterWrites) {
    base::Bytes out;
    CborWriter cbor(out);
    cbor.array(2);
    cbor.text("x");
    cbor.map(1);
    cbor.unsigned_number(300);
    cbor.null();
    cbor.number(-7);
    cbor.trim();
    CborReader reader(out);
    CborItem item;
    ASSERT_TRUE(reader.next(item));
    EXPECT_EQ(item.major, CborMajor::kArray);
    EXPECT_EQ(item.value, 2u);
    ASSERT_TRUE(reader.next(item));
    EXPECT_EQ(base::text_of(item.bytes), "x");
    ASSERT_TRUE(reader.skip());
    ASSERT_TRUE(reader.next(item));
    EXPECT_EQ(item.major, CborMajor::kNegative);
    EXPECT_EQ(item.value, 6u);
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.next(item));
}

TEST(CborReader, RefusesEveryOtherSpelling) {
    for (const char* bad : {"1800",
                            "1817",
                            "190000",
                            "1900ff",
                            "1a0000ffff",
                            "1b00000000ffffffff",  // heads longer than needed
                            "1c",
                            "1f",
                            "5f",
                            "9f",
                            "bf",
                            "ff",  // reserved and indefinite
                            "c0",
                            "d9d9f700",  // tags
                            "f90000",
                            "fa00000000",
                            "fb0000000000000000",
                            "f7",
                            "e0",
                            "f820",
                            "f3",  // floats, other simple values
                            "41",
                            "6261",
                            "82",
                            "a101",
                            "18",
                            "19ff",
                            "5bffffffffffffffff",
                            "9bffffffffffffffff"}) {  // cut
        const auto bytes = base::from_hex(bad);
        ASSERT_TRUE(bytes) << bad;
        CborReader reader(*bytes);
        EXPECT_FALSE(reader.skip()) << bad;
    }
}

TEST(CborReader, DepthCostsNoStack) {
    base::Bytes nested(1u << 20, 0x81);
    nested.push_back(0x00);
    CborReader reader(nested);
    EXPECT_TRUE(reader.skip());
    EXPECT_TRUE(reader.at_end());
}

}  // namespace
}  // namespace hoopguard::record
