// The verifier on damage: every byte of a small journal is flipped, every file cut at every length, and each is
// found and named.
#include "base/crc32c.hpp"
#include "verify_samples.hpp"

namespace hoopguard::record {
namespace {

TEST(VerifyDamage, EveryFlippedByteIsFoundAndNamed) {
    SampleJournal journal = small();
    const Files good = journal.files();
    for (const auto& [name, bytes] : good) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            journal.files()[name][i] ^= static_cast<std::uint8_t>(1 << i % 8);
            const auto directory = journal.directory();
            const auto report = verify_origin(*directory, {.keys = {journal.verifier()}});
            ASSERT_TRUE(report);
            EXPECT_FALSE(report->ok()) << name << " byte " << i;
            bool named = false;
            for (const Finding& finding : report->problems) named = named || finding.file == name;
            EXPECT_TRUE(named) << name << " byte " << i << ": " << first_problem(*report);
            journal.files()[name][i] = bytes[i];
        }
    }
}

TEST(VerifyDamage, AFlippedByteOfAnEntryNamesTheEntry) {
    SampleJournal journal = small();
    base::Bytes& segment = journal.files()[segment_name(0)];
    const base::Bytes good = segment;
    std::uint64_t index = 0;
    for (std::size_t at = kSegmentHeaderSize; at < good.size(); ++index) {
        const std::size_t length = EntryView(good.data() + at).length();
        for (std::size_t i = at; i < at + length; ++i) {
            segment[i] ^= 0x01;
            const OriginReport report = verify(journal);
            ASSERT_FALSE(report.ok());
            EXPECT_EQ(report.problems.front().entry, index) << i;
            EXPECT_EQ(report.problems.front().offset, at) << i;
            segment[i] = good[i];
        }
        at += length;
    }
}

TEST(VerifyDamage, EveryCutIsFoundAndNamed) {
    SampleJournal journal = small();
    const Files good = journal.files();
    for (const auto& [name, bytes] : good) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            journal.files()[name].resize(size);
            const auto directory = journal.directory();
            const auto report = verify_origin(*directory, {.keys = {journal.verifier()}});
            ASSERT_TRUE(report);
            EXPECT_FALSE(report->ok()) << name << " cut to " << size;
            bool named = false;
            for (const Finding& finding : report->problems) named = named || finding.file == name;
            EXPECT_TRUE(named) << name << " cut to " << size << ": " << first_problem(*report);
            journal.files()[name] = bytes;
        }
        journal.files().erase(name);
        const auto directory = journal.directory();
        const auto report = verify_origin(*directory, {.keys = {journal.verifier()}});
        EXPECT_TRUE(!report || !report->ok()) << name << " removed";
        journal.files()[name] = bytes;
    }
}

TEST(VerifyDamage, TilesAreJudgedByteByByte) {
    SampleJournal journal = tall();
    journal.stop();
    ASSERT_TRUE(verify(journal).ok());
    const base::Bytes good = journal.files()[kTilesName];
    ASSERT_EQ(good.size(), 4 * sizeof(Hash));
    for (std::size_t i = 0; i < good.size(); ++i) {
        base::Bytes& tiles = journal.files()[kTilesName];
        tiles[i] ^= 0x80;
        EXPECT_EQ(first_problem(verify(journal)), "tiles, offset " + std::to_string(i / 32 * 32) +
                                                      ": the hash of entries " + std::to_string(i / 32 * 256) +
                                                      " to " + std::to_string(i / 32 * 256 + 255) +
                                                      " is not theirs");
        tiles = good;
        tiles.resize(i);
        EXPECT_FALSE(verify(journal).ok()) << "cut to " << i;
        tiles = good;
    }
    journal.files()[kTilesName].resize(good.size() + 32);
    EXPECT_EQ(first_problem(verify(journal)),
              "tiles, offset 128: there are hashes of 5 subtrees, but only 4 are complete");
}

TEST(VerifyDamage, OnARunningServerDerivedFilesMayLag) {
    SampleJournal journal = tall();
    journal.files()[index_name(1)].clear();
    journal.files()[kTilesName].resize(40);
    journal.allocate(5000);
    EXPECT_EQ(first_problem(verify(journal)), "");
    journal.files()[index_name(1)] = journal.files()[index_name(0)];
    EXPECT_EQ(first_problem(verify(journal)),
              "0000000000000001.idx, offset 0: the record does not describe the 401 entries up to entry 801");
}

TEST(VerifyDamage, AForgedEntryBreaksTheRoot) {
    SampleJournal journal = small();
    base::Bytes& segment = journal.files()[segment_name(0)];
    const std::string_view text = base::text_of(segment);
    const std::size_t at = text.find("orders");
    ASSERT_NE(at, std::string_view::npos);
    std::copy_n("Orders", 6, segment.begin() + static_cast<std::ptrdiff_t>(at));
    std::size_t entry = kSegmentHeaderSize;
    while (entry + EntryView(segment.data() + entry).length() < at)
        entry += EntryView(segment.data() + entry).length();
    const std::uint32_t partial = base::crc32c_extend(
        base::crc32c_extend_number(0, SampleJournal::kNonce),
        {segment.data() + entry + kVersionAt, EntryView(segment.data() + entry).length() - kVersionAt});
    seal_at(segment.data() + entry, partial, EntryView(segment.data() + entry).position());
    const OriginReport report = verify(journal);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(first_problem(report),
              "0000000000000001.seg, offset 0: the header's frontier is not that of the entries before it");
}

TEST(VerifyDamage, ATruncatedTailIsMissed) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    const std::size_t kept = journal.files()[segment_name(0)].size();
    journal.statement(kAlice, 2, "SELECT 2");
    journal.checkpoint();
    journal.files()[segment_name(0)].resize(kept);
    journal.files()[index_name(0)].clear();
    EXPECT_EQ(
        first_problem(verify(journal)),
        "0000000000000000.seg, offset " + std::to_string(kept) +
            ", entry 2: the journal ends here, but the checkpoint in checkpoints at offset 0 covers 4 entries: "
            "entries 2 to 3 are missing");
}

TEST(VerifyDamage, AnEndAsACrashLeavesItIsExplainedUnlessItWasSigned) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    journal.checkpoint();
    const std::size_t whole = journal.files()[segment_name(0)].size();
    journal.statement(kAlice, 2, "SELECT 2");
    journal.files()[segment_name(0)][whole + kEntryHeaderSize] ^= 1;
    OriginReport report = verify(journal);
    EXPECT_FALSE(report.ok());
    ASSERT_EQ(report.notes.size(), 1u);
    EXPECT_EQ(report.notes.front().offset, whole);
    EXPECT_NE(report.notes.front().what.find("a crash leaves such an end"), std::string::npos);
    // A checkpoint that covers the entry knows that it was whole; so does a segment that follows.
    journal.files()[segment_name(0)][whole + kEntryHeaderSize] ^= 1;
    journal.checkpoint();
    journal.files()[segment_name(0)][whole + kEntryHeaderSize] ^= 1;
    report = verify(journal);
    EXPECT_FALSE(report.ok());
    EXPECT_TRUE(report.notes.empty());
    SampleJournal beheaded;
    beheaded.statement(kAlice, 1, "SELECT 1");
    beheaded.checkpoint();
    beheaded.begin_next_segment();
    beheaded.statement(kAlice, 2, "SELECT 2");
    beheaded.files()[segment_name(1)][0] ^= 1;
    report = verify(beheaded);
    EXPECT_FALSE(report.ok());
    EXPECT_TRUE(report.notes.empty()) << "no crash alters a header";
    SampleJournal followed = small();
    followed.files()[segment_name(0)].back() ^= 1;
    report = verify(followed);
    EXPECT_FALSE(report.ok());
    EXPECT_TRUE(report.notes.empty());
}

TEST(VerifyDamage, TheStopMustBeCovered) {
    SampleJournal journal = small();
    const std::string notes(base::text_of(journal.files()[kCheckpointsName]));
    const NoteSequence sequence = parse_notes(notes);
    journal.files()[kCheckpointsName].resize(sequence.notes.back().offset);
    EXPECT_EQ(first_problem(verify(journal)),
              "checkpoints: no checkpoint covers the orderly stop in entry 8: the newest checkpoints are missing");
}

TEST(VerifyDamage, GarbageAfterTheEndIsNamed) {
    SampleJournal journal = small();
    const std::size_t end = journal.files()[segment_name(1)].size();
    journal.allocate(100'000);
    EXPECT_TRUE(verify(journal).ok()) << "zeros are room that was never used";
    for (const std::size_t at : {std::size_t{4}, std::size_t{8}, std::size_t{99'999}}) {
        journal.files()[segment_name(1)][end + at] = 1;
        const OriginReport report = verify(journal);
        EXPECT_EQ(first_problem(report), "0000000000000001.seg, offset " + std::to_string(end + at) +
                                             ", entry 9: bytes that are not zero follow the last entry");
        journal.files()[segment_name(1)][end + at] = 0;
    }
}

TEST(VerifyDamage, AMissingEntryBreaksThePositions) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    journal.skip_positions(80);
    journal.statement(kAlice, 2, "SELECT 1");
    EXPECT_NE(first_problem(verify(journal)).find("must follow"), std::string::npos);
}

TEST(VerifyDamage, DamageInTheMiddleDoesNotHideTheRest) {
    SampleJournal journal = tall();
    journal.files()[segment_name(0)][kSegmentHeaderSize + 20] ^= 1;
    journal.files()[segment_name(2)][kSegmentHeaderSize + 20] ^= 1;
    const OriginReport report = verify(journal);
    ASSERT_EQ(report.problems.size(), 2u);
    EXPECT_EQ(report.problems[0].text(), "0000000000000000.seg, offset 4096, entry 0: checksum mismatch");
    EXPECT_EQ(report.problems[1].text(), "0000000000000002.seg, offset 4096, entry 802: checksum mismatch");
}

TEST(VerifyDamage, AMissingSegmentIsNamed) {
    SampleJournal journal = tall();
    journal.files().erase(segment_name(1));
    const OriginReport report = verify(journal);
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(first_problem(report), "0000000000000001.seg: the segment is missing");
}

TEST(VerifyDamage, AVersionFromTheFutureIsCalledThat) {
    SampleJournal journal = small();
    base::Bytes& segment = journal.files()[segment_name(0)];
    segment[kSegmentHeaderSize + kVersionAt] = 2;
    const std::uint32_t partial =
        base::crc32c_extend(base::crc32c_extend_number(0, SampleJournal::kNonce),
                            {segment.data() + kSegmentHeaderSize + kVersionAt,
                             EntryView(segment.data() + kSegmentHeaderSize).length() - kVersionAt});
    seal_at(segment.data() + kSegmentHeaderSize, partial, 4096);
    EXPECT_EQ(
        first_problem(verify(journal)),
        "0000000000000000.seg, offset 4096, entry 0: format version not known to this program; use a newer one");
}

}  // namespace
}  // namespace hoopguard::record
