// Entries: what is written is read back, the seal is what the format says, and no flipped bit passes.
#include "record/entry.hpp"

#include "base/crc32c.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kNonce = 0x1122334455667788;

EntryHead head() {
    return {.type = EntryType::kStatement,
            .flags = kFlagNested,
            .time = 1700000000'000000001,
            .session = 0x6553f10000000123,
            .session_sequence = 9,
            .database = 5,
            .login_role = 10,
            .effective_role = 11};
}

base::Bytes sealed(std::uint64_t position = 4242) {
    base::Bytes out;
    EntryWriter writer(out, head());
    writer.add_uint(Field::kStatementNo, 3);
    writer.add_text(Field::kStatement, "SELECT 10");
    writer.add_int(Field::kQueryId, -5);
    const std::string_view classes[] = {"read", "write.insert"};
    writer.add_texts(Field::kClasses, classes);
    writer.add_bool(Field::kEnforced, true);
    writer.add_bytes(Field::kStatementDigest, base::Bytes(32, 0xAB));
    EXPECT_GT(writer.finish(kNonce), 0u);
    seal_at(out.data(), writer.partial_crc(), position);
    return out;
}

TEST(Entry, ReadsBackWhatWasWritten) {
    const base::Bytes bytes = sealed();
    ASSERT_EQ(check_entry(bytes, kNonce), EntryFault::kNone);
    const EntryView entry(bytes.data());
    EXPECT_EQ(check_payload(entry.payload()), EntryFault::kNone);
    EXPECT_EQ(entry.length(), bytes.size());
    EXPECT_EQ(entry.length() % 8, 0u);
    EXPECT_EQ(entry.position(), 4242u);
    EXPECT_EQ(entry.next_position(), 4242u + bytes.size() + 8);
    EXPECT_EQ(entry.type(), EntryType::kStatement);
    EXPECT_TRUE(entry.has(kFlagNested));
    EXPECT_FALSE(entry.has(kFlagUtility));
    EXPECT_EQ(entry.time(), 1700000000'000000001u);
    EXPECT_EQ(entry.session(), 0x6553f10000000123u);
    EXPECT_EQ(entry.session_sequence(), 9u);
    EXPECT_EQ(entry.database(), 5u);
    EXPECT_EQ(entry.login_role(), 10u);
    EXPECT_EQ(entry.effective_role(), 11u);
    EXPECT_EQ(entry.uint(Field::kStatementNo), 3u);
    EXPECT_EQ(entry.text(Field::kStatement), "SELECT 10");
    EXPECT_EQ(entry.integer(Field::kQueryId), -5);
    EXPECT_EQ(entry.boolean(Field::kEnforced), true);
    EXPECT_EQ(entry.bytes(Field::kStatementDigest)->size(), 32u);
    auto classes = entry.array(Field::kClasses);
    ASSERT_TRUE(classes);
    EXPECT_EQ(classes->count, 2u);
    CborItem item;
    ASSERT_TRUE(classes->elements.next(item));
    EXPECT_EQ(base::text_of(item.bytes), "read");
    EXPECT_FALSE(entry.uint(Field::kStatement)) << "of another type";
    EXPECT_FALSE(entry.uint(Field::kRows)) << "absent, between others";
    EXPECT_FALSE(entry.text(Field::kDetail)) << "absent, after the last";
}

TEST(Entry, SealIsTheCrcThatTheFormatNames) {
    const base::Bytes bytes = sealed(77);
    base::Bytes covered(8);
    base::put_u64(covered.data(), kNonce);
    covered.insert(covered.end(), bytes.begin() + kVersionAt, bytes.end());
    covered.insert(covered.end(), bytes.begin() + kPositionAt, bytes.begin() + kPositionAt + 8);
    EXPECT_EQ(base::get_u32(bytes.data() + kCrcAt), base::crc32c_extend(0, covered));
}

TEST(Entry, EveryFlippedBitIsSeen) {
    const base::Bytes good = sealed();
    base::Bytes bytes = good;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            bytes[i] ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_NE(check_entry(bytes, kNonce), EntryFault::kNone) << "byte " << i << " bit " << bit;
            bytes[i] = good[i];
        }
    EXPECT_NE(check_entry(good, kNonce + 1), EntryFault::kNone);
}

TEST(Entry, EveryCutIsSeen) {
    const base::Bytes bytes = sealed();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_EQ(check_entry(base::ByteView(bytes).first(size), kNonce), EntryFault::kTruncated);
}

// With a CRC that holds, as somebody who can compute one would write it.
TEST(Entry, NamesWhatASoundCrcHides) {
    const auto with = [](std::size_t at, std::uint8_t value) {
        base::Bytes bytes = sealed();
        bytes[at] = value;
        const std::uint32_t partial =
            base::crc32c_extend(base::crc32c_extend_number(0, kNonce), base::ByteView(bytes).subspan(kVersionAt));
        seal_at(bytes.data(), partial, 4242);
        return check_entry(bytes, kNonce);
    };
    EXPECT_EQ(with(kVersionAt, 2), EntryFault::kVersion);
    EXPECT_EQ(with(kReservedAt, 1), EntryFault::kReserved);
    EXPECT_EQ(with(kPayloadLengthAt + 3, 1), EntryFault::kLength);
    const base::Bytes good = sealed();
    ASSERT_LT(EntryView(good.data()).payload().size() + kEntryHeaderSize, good.size());
    EXPECT_EQ(with(good.size() - 1, 1), EntryFault::kPadding);
}

TEST(Entry, NoEntryIsAZeroLength) {
    EXPECT_EQ(check_entry(base::Bytes(64, 0), kNonce), EntryFault::kNoEntry);
    EXPECT_EQ(check_entry(base::Bytes(3, 0), kNonce), EntryFault::kTruncated);
}

TEST(EntryWriter, RefusesFieldsOutOfOrder) {
    std::uint8_t buffer[256];
    EntryWriter twice(buffer, head());
    twice.add_uint(Field::kRows, 1);
    twice.add_uint(Field::kRows, 1);
    EXPECT_EQ(twice.finish(kNonce), 0u);
    EntryWriter backwards(buffer, head());
    backwards.add_uint(Field::kRows, 1);
    backwards.add_uint(Field::kParentNo, 1);
    EXPECT_EQ(backwards.finish(kNonce), 0u);
}

TEST(EntryWriter, StaysWithinItsBufferAtEverySize) {
    const auto write = [](EntryWriter& writer) {
        for (int field = 0; field < 30; ++field) writer.add_uint(static_cast<Field>(field), 1);
        return writer.finish(kNonce);
    };
    base::Bytes whole;
    EntryWriter growing(whole, head());
    const std::size_t length = write(growing);
    ASSERT_EQ(length, whole.size());
    for (std::size_t size = 0; size <= length; ++size) {
        base::Bytes buffer(size + 8, 0xEE);
        EntryWriter writer(std::span<std::uint8_t>(buffer).first(size), head());
        EXPECT_EQ(write(writer), size == length ? length : 0u);
        for (std::size_t i = size; i < buffer.size(); ++i) EXPECT_EQ(buffer[i], 0xEE);
    }
}

TEST(EntryWriter, CountsFieldsInTheShortestHead) {
    for (int count : {0, 1, 23, 24, 60}) {
        base::Bytes out;
        EntryWriter writer(out, head());
        for (int field = 0; field < count; ++field) writer.add_uint(static_cast<Field>(field), 7);
        ASSERT_GT(writer.finish(kNonce), 0u);
        seal_at(out.data(), writer.partial_crc(), 0);
        ASSERT_EQ(check_entry(out, kNonce), EntryFault::kNone) << count;
        const EntryView entry(out.data());
        EXPECT_EQ(check_payload(entry.payload()), EntryFault::kNone) << count;
        EXPECT_EQ(entry.payload()[0], count < 24 ? 0xA0 + count : 0xB8);
        FieldCursor fields(entry.payload());
        for (int field = 0; field < count; ++field) {
            ASSERT_TRUE(fields.next());
            EXPECT_EQ(fields.key(), static_cast<std::uint64_t>(field));
        }
        EXPECT_FALSE(fields.next());
    }
}

TEST(EntryWriter, RefusesAnEntryThatIsTooLong) {
    base::Bytes out;
    EntryWriter writer(out, head());
    writer.add_text(Field::kStatement, std::string(kMaxEntrySize - 70, 'x'));
    EXPECT_EQ(writer.finish(kNonce), 0u);
}

TEST(Payload, OnlyAnAscendingMapIsSound) {
    for (const char* good : {"a0", "a10001", "a2000118190a", "a10082a10102f6"})
        EXPECT_EQ(check_payload(*base::from_hex(good)), EntryFault::kNone) << good;
    for (const char* bad : {"", "80", "a1", "a100", "a2010000 00", "a1000100", "a200010001", "a2010000 01",
                            "a1200 1", "a161610", "a11800 01", "a1 6161 01"}) {
        std::string hex(bad);
        std::erase(hex, ' ');
        if (hex.size() % 2) hex += '0';
        EXPECT_EQ(check_payload(*base::from_hex(hex)), EntryFault::kPayload) << bad;
    }
}

TEST(EntryView, AGapReachesToItsEnd) {
    base::Bytes out;
    EntryHead gap = head();
    gap.type = EntryType::kGap;
    EntryWriter writer(out, gap);
    writer.add_uint(Field::kGapFrom, 1000);
    writer.add_uint(Field::kGapTo, 1016);
    ASSERT_GT(writer.finish(kNonce), 0u);
    seal_at(out.data(), writer.partial_crc(), 1000);
    EXPECT_EQ(EntryView(out.data()).next_position(), 1016u);
}

}  // namespace
}  // namespace hoopguard::record
