// Segment headers and indexes: round trips, and the refusal of every altered bit.
#include "record/segment.hpp"

#include "base/crc32c.hpp"
#include "record/index.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace hoopguard::record {
namespace {

SegmentHeader header(std::uint64_t entries) {
    SegmentHeader out;
    out.origin.fill(0x5A);
    out.system = 7000000000000000001;
    out.nonce = 99;
    out.number = 3;
    out.first_position = 123456;
    out.created = 1700000000'000000000;
    for (std::uint64_t i = 0; i < entries; ++i) out.frontier.append(leaf_hash(base::bytes_of(std::to_string(i))));
    return out;
}

base::Bytes encoded(const SegmentHeader& header) {
    base::Bytes out(kSegmentHeaderSize);
    encode_header(header, std::span<std::uint8_t, kSegmentHeaderSize>(out.data(), out.size()));
    return out;
}

TEST(SegmentHeader, RoundTrips) {
    for (std::uint64_t entries : {0, 1, 7, 255, 256}) {
        const SegmentHeader wanted = header(entries);
        const auto read = decode_header(encoded(wanted));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->origin, wanted.origin);
        EXPECT_EQ(read->system, wanted.system);
        EXPECT_EQ(read->nonce, wanted.nonce);
        EXPECT_EQ(read->number, wanted.number);
        EXPECT_EQ(read->first_position, wanted.first_position);
        EXPECT_EQ(read->created, wanted.created);
        EXPECT_TRUE(read->frontier == wanted.frontier);
    }
}

TEST(SegmentHeader, EveryFlippedByteAndEveryCutIsSeen) {
    const base::Bytes good = encoded(header(7));
    base::Bytes bytes = good;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= 0x10;
        EXPECT_FALSE(decode_header(bytes)) << i;
        bytes[i] = good[i];
        EXPECT_FALSE(decode_header(base::ByteView(bytes).first(i)));
    }
}

TEST(SegmentHeader, AVersionFromTheFutureIsCalledThat) {
    base::Bytes bytes = encoded(header(0));
    base::put_u32(bytes.data() + kSegmentVersionAt, 2);
    const auto read = decode_header(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message,
              "segment format version 2 is not known to this program, which reads version 1");
}

TEST(SegmentNames, RoundTripAndRefuse) {
    EXPECT_EQ(segment_name(42), "000000000000002a.seg");
    EXPECT_EQ(index_name(~0ull), "ffffffffffffffff.idx");
    EXPECT_EQ(parse_segment_name("000000000000002a.seg"), 42u);
    for (const char* bad : {"000000000000002A.seg", "2a.seg", "000000000000002a.idx", "000000000000002a.seg2", ""})
        EXPECT_FALSE(parse_segment_name(bad)) << bad;
    OriginId origin;
    origin.fill(0xAB);
    EXPECT_EQ(parse_origin_directory_name(origin_directory_name(origin)), origin);
    EXPECT_FALSE(parse_origin_directory_name("origin-ab"));
    EXPECT_FALSE(parse_origin_directory_name("policy"));
    EXPECT_EQ(origin_line(7, origin), "hoopguard/7/abababababababababababababababab");
}

class IndexTest : public ::testing::Test {
 protected:
    static constexpr std::uint64_t kNonce = 5;

    // An entry of a session at a time; its bytes live as long as the test.
    EntryView entry(std::uint64_t session, std::uint64_t time) {
        auto& bytes = entries_.emplace_back();
        EntryWriter writer(bytes, {.time = time, .session = session});
        writer.finish(kNonce);
        seal_at(bytes.data(), writer.partial_crc(), entries_.size() * 100);
        return EntryView(bytes.data());
    }

    std::vector<base::Bytes> entries_;
};

TEST_F(IndexTest, ARunEndsWhereItsBlockDoes) {
    IndexBuilder builder(kNonce);
    base::Bytes out;
    builder.add(4096, 0, entry(7, 50), out);
    builder.add(5000, 1, entry(3, 40), out);
    builder.add(kIndexBlockSize - 8, 2, entry(7, 60), out);
    EXPECT_TRUE(out.empty());
    builder.add(3 * kIndexBlockSize, 3, entry(9, 70), out);
    EXPECT_FALSE(out.empty());
    builder.flush(out);
    builder.flush(out);
    const IndexContents contents = read_index(out, kNonce);
    EXPECT_TRUE(contents.fault.empty());
    EXPECT_EQ(contents.sound, out.size());
    ASSERT_EQ(contents.records.size(), 2u);
    const IndexRecord& first = contents.records[0];
    EXPECT_EQ(first.offset(), 4096u);
    EXPECT_EQ(first.first_position(), 100u);
    EXPECT_EQ(first.first_index(), 0u);
    EXPECT_EQ(first.entries(), 3u);
    EXPECT_EQ(first.min_time(), 40u);
    EXPECT_EQ(first.max_time(), 60u);
    EXPECT_EQ(first.bytes().size(), kIndexSessionsAt + 2 * 8);
    EXPECT_TRUE(first.has_session(3));
    EXPECT_TRUE(first.has_session(7));
    EXPECT_FALSE(first.has_session(9));
    EXPECT_FALSE(first.has_session(0));
    EXPECT_EQ(contents.records[1].offset(), 3 * kIndexBlockSize);
    EXPECT_EQ(contents.records[1].first_index(), 3u);
}

TEST_F(IndexTest, EveryFlippedByteAndEveryCutIsSeen) {
    IndexBuilder builder(kNonce);
    base::Bytes good;
    builder.add(4096, 0, entry(7, 50), good);
    builder.flush(good);
    const std::size_t one = good.size();
    builder.add(5000, 1, entry(8, 60), good);
    builder.flush(good);
    base::Bytes bytes = good;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= 0x01;
        const IndexContents contents = read_index(bytes, kNonce);
        EXPECT_FALSE(contents.fault.empty()) << i;
        EXPECT_EQ(contents.sound, i < one ? 0 : one);
        bytes[i] = good[i];
        if (i != 0 && i != one) {
            EXPECT_FALSE(read_index(base::ByteView(bytes).first(i), kNonce).fault.empty());
        }
    }
    EXPECT_FALSE(read_index(good, kNonce + 1).fault.empty()) << "another origin's index";
}

}  // namespace
}  // namespace hoopguard::record
