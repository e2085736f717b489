// Slots: what a server that died leaves in them is on record once, wherever their process was; start and outcome
// become one entry.
#include "journal_fixture.hpp"

#include <thread>

namespace hoopguard::record {
namespace {

using Texts = std::vector<std::string>;

class SlotsTest : public JournalTest {};

TEST_F(SlotsTest, OnlyWhatIsOpenIsPutOnRecord) {
    start();
    append("before");
    open_slot(0, "open");
    open_slot(1, "ended").set(SlotState::kIdle);
    open_slot(5, "claimed").claim();
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"before", "open", "claimed"}));
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"before", "open", "claimed"})) << "the slots are idle after a start";
}

TEST_F(SlotsTest, WhatRecoveryPutsOnRecordSaysSoAndHasNoNumber) {
    start();
    open_slot(2, "open");
    crash();
    start();
    Files& files = system_files();
    OpenFile file;
    ASSERT_EQ(open_file(files, segment(0), O_RDONLY, file), 0);
    std::uint8_t bytes[256];
    ASSERT_EQ(files.read_at(file.get(), bytes, sizeof bytes, kSegmentHeaderSize), 0);
    ASSERT_EQ(check_entry(bytes, origin_.identity.nonce), EntryFault::kNone);
    EntryView const entry(bytes);
    EXPECT_TRUE(entry.has(kFlagRecovered));
    EXPECT_FALSE(entry.has(kFlagWhole));
    EXPECT_EQ(entry.session(), 4u);
    EXPECT_EQ(entry.session_sequence(), 0u);
    EXPECT_EQ(entry.position(), 0u);
    EXPECT_EQ(tail_, entry.next_position());
}

TEST_F(SlotsTest, APublishedEntryIsNotDoubled) {
    start();
    move(open_slot(0, "published, and the slot still moving"), true);
    Slot& moved = open_slot(1, "moved");
    moved.set(SlotState::kMoved, move(moved, true));
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"published, and the slot still moving", "moved"}));
}

TEST_F(SlotsTest, WhatWasDrainedIsNotDoubled) {
    start();
    Slot& slot = open_slot(0, "drained");
    move(slot, true);
    Files& files = system_files();
    SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
    ASSERT_TRUE(writer.resume(ring_.copied()).ok());
    Drain drain(ring_, writer, segment_number_);
    EXPECT_EQ(drain.step(tail_, kTestTime).entries, 1u);
    crash();
    start();
    EXPECT_EQ(recorded(), Texts{"drained"});
}

TEST_F(SlotsTest, APlaceThatWasReservedAndNeverFilledIsAGapAndTheStatementFollows) {
    start();
    std::uint64_t const hole = move(open_slot(0, "its process died"), false);
    Place const after = append("after");
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"gap " + std::to_string(hole) + "-" + std::to_string(after.position), "after",
                                 "its process died"}));
}

TEST_F(SlotsTest, AnotherBootOriginOrVersionIsNotRead) {
    for (std::size_t const at : {std::size_t{8}, std::size_t{20}, std::size_t{50}}) {
        start();
        open_slot(0, "of another");
        std::string const path = slots_path(place_.directory);
        Files& files = system_files();
        OpenFile file;
        ASSERT_EQ(open_file(files, path, O_RDWR, file), 0);
        std::uint8_t byte = 0;
        ASSERT_EQ(files.read_at(file.get(), &byte, 1, at), 0);
        byte ^= 1;
        ASSERT_EQ(files.write_at(file.get(), &byte, 1, at), 0);
        crash();
        start();
        EXPECT_TRUE(recorded().empty()) << "header byte " << at;
        crash();
    }
}

TEST_F(SlotsTest, ATornSlotAndAShortFileAreNoFault) {
    start();
    Slot& slot = open_slot(0, "torn");
    base::put_u32(slot.entry() + kLengthAt, kSlotSize * 2);
    open_slot(1, "sound");
    crash();
    start();
    EXPECT_EQ(recorded(), Texts{"sound"});
    crash();
    std::filesystem::resize_file(slots_path(place_.directory), 100);
    start();
    EXPECT_EQ(recorded(), Texts{"sound"});
}

TEST_F(SlotsTest, OneOfManyWhoClaimGetsIt) {
    start();
    for (int round = 0; round < 200; ++round) {
        Slot& slot = open_slot(0, "contended");
        std::atomic<int> won{0};
        auto const claim = [&] { won += slot.claim() ? 1 : 0; };
        std::thread other(claim);
        claim();
        other.join();
        ASSERT_EQ(won, 1);
        slot.set(SlotState::kIdle);
    }
}

TEST(WholeEntry, HoldsStartAndOutcome) {
    std::uint8_t start[512];
    EntryHead head;
    head.flags = kFlagStandby;
    head.session = 7;
    head.session_sequence = 3;
    EntryWriter writer(start, head);
    writer.add_uint(Field::kStatementNo, 1);
    writer.add_text(Field::kStatement, "SELECT 1");
    auto const front = static_cast<std::uint32_t>(writer.payload_size());
    writer.add_uint(Field::kTransactionNo, 9);
    ASSERT_NE(writer.close(), 0u);

    std::uint8_t fields[32];
    CborWriter outcome(fields);
    for (std::uint64_t const number : {7, 1000, 8, 123456, 11, 1}) outcome.unsigned_number(number);
    WholeEntry const whole = {start, front, {fields, outcome.size()}, 3};
    base::Bytes bytes(whole.length());
    whole.write(bytes.data(), 42, 800);

    ASSERT_EQ(check_entry(bytes, 42), EntryFault::kNone);
    EntryView const entry(bytes.data());
    ASSERT_EQ(check_payload(entry.payload()), EntryFault::kNone);
    EXPECT_EQ(entry.bytes().size(), bytes.size());
    EXPECT_EQ(entry.position(), 800u);
    EXPECT_EQ(entry.flags(), kFlagStandby | kFlagWhole);
    EXPECT_EQ(entry.session_sequence(), 3u);
    EXPECT_EQ(entry.text(Field::kStatement), "SELECT 1");
    EXPECT_EQ(entry.uint(Field::kRows), 1000u);
    EXPECT_EQ(entry.uint(Field::kDuration), 123456u);
    EXPECT_EQ(entry.uint(Field::kTransactionOutcome), 1u);
    EXPECT_EQ(entry.uint(Field::kTransactionNo), 9u);
}

}  // namespace
}  // namespace hoopguard::record
