// The verifier: a good journal passes, and each kind of wrong is found and named. Every byte of a small journal
// is flipped, every file cut at every length.
#include "record/verify.hpp"

#include "base/crc32c.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAlice = (std::uint64_t{0x67750000} << 32) | 100;
constexpr std::uint64_t kBob = (std::uint64_t{0x67750001} << 32) | 101;

OriginReport verify(const SampleJournal& journal, const VerifyOptions& options) {
    const auto directory = journal.directory();
    auto report = verify_origin(*directory, options);
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? std::move(*report) : OriginReport{};
}

OriginReport verify(const SampleJournal& journal) {
    return verify(journal, {.keys = {journal.verifier()}});
}

std::string first_problem(const OriginReport& report) {
    return report.problems.empty() ? "" : report.problems.front().text();
}

// Two segments, several checkpoints, an orderly stop.
SampleJournal small() {
    SampleJournal out;
    out.append(EntryType::kOpen, 0);
    out.append(EntryType::kLogin, kAlice);
    out.statement(kAlice, 1, "SELECT 1");
    out.checkpoint();
    out.statement(kAlice, 2, "SELECT * FROM orders");
    out.begin_next_segment();
    out.seal();
    out.checkpoint();
    out.append(EntryType::kLogout, kAlice);
    out.stop();
    return out;
}

// Enough entries for tiles, with seals whose root is a while ago.
SampleJournal tall() {
    SampleJournal out;
    for (int segment = 0; segment < 3; ++segment) {
        if (segment > 0) out.begin_next_segment();
        for (std::uint64_t i = 0; i < 200; ++i) out.statement(kAlice, 200 * segment + i + 1, "SELECT 1");
        out.seal();
        out.checkpoint();
    }
    return out;
}

TEST(Verify, AGoodJournalPasses) {
    const SampleJournal journal = small();
    const OriginReport report = verify(journal);
    EXPECT_EQ(first_problem(report), "");
    EXPECT_TRUE(report.notes.empty());
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report.origin, "hoopguard/7000000000000000001/101112131415161718191a1b1c1d1e1f");
    EXPECT_EQ(report.size, journal.size());
    EXPECT_EQ(report.root, journal.root());
    EXPECT_EQ(report.segments, 2u);
    EXPECT_EQ(report.checkpoints, 3u);
    EXPECT_EQ(report.covered, journal.size());
    EXPECT_TRUE(report.stopped);
    EXPECT_TRUE(verify(tall()).ok());
    EXPECT_EQ(verify(tall()).covered, 1203u);
}

TEST(Verify, WithoutAKeyTheJournalsOwnIsBelieved) {
    EXPECT_TRUE(verify(small(), {}).ok());
}

TEST(Verify, EveryFlippedByteIsFoundAndNamed) {
    SampleJournal journal = small();
    const Files good = journal.files();
    for (const auto& [name, bytes] : good) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            // A header's zeros are many and all alike under one checksum.
            if (name.ends_with(".seg") && i > 400 && i < kSegmentHeaderSize && i % 16 != 0) continue;
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

TEST(Verify, AFlippedByteOfAnEntryNamesTheEntry) {
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

TEST(Verify, EveryCutIsFoundAndNamed) {
    SampleJournal journal = small();
    const Files good = journal.files();
    for (const auto& [name, bytes] : good) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            if (name.ends_with(".seg") && size > 0 && size < kSegmentHeaderSize && size % 64 != 0) continue;
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

TEST(Verify, TilesAreJudgedByteByByte) {
    SampleJournal journal = tall();
    journal.stop();
    ASSERT_TRUE(verify(journal).ok());
    const base::Bytes good = journal.files()[kTilesName];
    ASSERT_EQ(good.size(), 4 * sizeof(Hash));
    for (std::size_t i = 0; i < good.size(); i += 7) {
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

TEST(Verify, OnARunningServerDerivedFilesMayLag) {
    SampleJournal journal = tall();
    journal.files()[index_name(1)].clear();
    journal.files()[kTilesName].resize(40);
    journal.allocate(5000);
    EXPECT_EQ(first_problem(verify(journal)), "");
    journal.files()[index_name(1)] = journal.files()[index_name(0)];
    EXPECT_EQ(first_problem(verify(journal)),
              "0000000000000001.idx, offset 0: the record does not describe the 401 entries up to entry 801");
}

// With a checksum that holds, as somebody writes it who knows the format and has no key.
TEST(Verify, AForgedEntryBreaksTheRoot) {
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

TEST(Verify, ARewrittenJournalBreaksTheCheckpoints) {
    SampleJournal honest;
    SampleJournal forged;
    honest.statement(kAlice, 1, "DROP TABLE t");
    forged.statement(kAlice, 1, "DROP TABLE u");
    honest.checkpoint();
    forged.files()[kCheckpointsName] = honest.files()[kCheckpointsName];
    EXPECT_EQ(
        first_problem(verify(forged)),
        "checkpoints, offset 0: the root of the first 2 entries is not what this checkpoint says: something in "
        "entries 0 to 1 was changed since it was signed");
    // Signed anew with a key of his own, it is another key.
    SampleJournal resigned(9);
    resigned.statement(kAlice, 1, "DROP TABLE u");
    resigned.checkpoint();
    const OriginReport report = verify(resigned, {.keys = {honest.verifier()}});
    EXPECT_NE(first_problem(report).find("none of the keys that are trusted"), std::string::npos)
        << first_problem(report);
}

TEST(Verify, AKeptCheckpointProvesARewrite) {
    SampleJournal honest;
    honest.statement(kAlice, 1, "DROP TABLE t");
    const SignedNote kept = *parse_note(honest.checkpoint());
    honest.statement(kAlice, 2, "SELECT 1");
    honest.checkpoint();
    const VerifyOptions options{.keys = {honest.verifier()}, .kept = {{"kept.txt", kept}}};
    EXPECT_TRUE(verify(honest, options).ok());
    // Whoever has the key can make a journal that is good in itself.
    SampleJournal forged;
    forged.statement(kAlice, 1, "SELECT 0");
    forged.statement(kAlice, 2, "SELECT 1");
    forged.checkpoint();
    EXPECT_TRUE(verify(forged).ok());
    EXPECT_EQ(first_problem(verify(forged, options)),
              "kept.txt, offset 0: the root of the first 2 entries is not what this checkpoint says: something in "
              "entries 0 to 1 was changed since it was signed");
    const OriginReport truncated = verify(SampleJournal(), options);
    EXPECT_EQ(
        first_problem(truncated),
        "0000000000000000.seg, offset 4096, entry 0: the journal ends here, but the checkpoint in kept.txt at "
        "offset 0 covers 2 entries: entries 0 to 1 are missing");
}

TEST(Verify, ATruncatedTailIsMissed) {
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

TEST(Verify, TheStopMustBeCovered) {
    SampleJournal journal = small();
    const std::string notes(base::text_of(journal.files()[kCheckpointsName]));
    const NoteSequence sequence = parse_notes(notes);
    journal.files()[kCheckpointsName].resize(sequence.notes.back().offset);
    EXPECT_EQ(first_problem(verify(journal)),
              "checkpoints: no checkpoint covers the orderly stop in entry 8: the newest checkpoints are missing");
}

TEST(Verify, EntriesAfterTheLastCheckpointAreNotYetSigned) {
    SampleJournal journal = small();
    journal.append(EntryType::kOpen, 0);
    journal.statement(kBob, 1, "SELECT 1");
    const OriginReport report = verify(journal);
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report.size - report.covered, 3u);
    EXPECT_FALSE(report.stopped);
    journal.files()[segment_name(1)].back() ^= 1;
    EXPECT_FALSE(verify(journal).ok());
}

TEST(Verify, GarbageAfterTheEndIsNamed) {
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

TEST(Verify, GapsKeepTheStreamWhole) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    const std::uint64_t from = journal.position();
    journal.append(EntryType::kGap, 0, [&](EntryWriter& writer) {
        writer.add_uint(Field::kGapFrom, from);
        writer.add_uint(Field::kGapTo, from + 24);
    });
    EXPECT_EQ(journal.position(), from + 24);
    journal.statement(kBob, 1, "SELECT 1");
    journal.checkpoint();
    EXPECT_EQ(first_problem(verify(journal)), "");
    journal.append(EntryType::kGap, 0, [&](EntryWriter& writer) { writer.add_uint(Field::kGapTo, from); });
    EXPECT_NE(first_problem(verify(journal)).find("does not say from where to where"), std::string::npos);
}

TEST(Verify, AMissingEntryBreaksThePositions) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    journal.skip_positions(80);
    journal.statement(kAlice, 2, "SELECT 1");
    EXPECT_NE(first_problem(verify(journal)).find("must follow"), std::string::npos);
}

TEST(Verify, ASessionsHolesAreNoted) {
    SampleJournal journal;
    journal.append(EntryType::kLogin, kAlice);
    journal.append({.type = EntryType::kStatement, .session = kAlice, .session_sequence = 3}, {});
    journal.append({.type = EntryType::kStatement, .session = kBob, .session_sequence = 2}, {});
    journal.append({.type = EntryType::kOutcome, .flags = kFlagRecovered, .session = kAlice}, {});
    OriginReport report = verify(journal);
    EXPECT_TRUE(report.ok());
    ASSERT_EQ(report.notes.size(), 2u);
    EXPECT_EQ(report.notes[0].what, "session 67750000.64 numbers this entry 3 where 2 should follow");
    EXPECT_EQ(report.notes[1].what, "session 67750001.65 numbers this entry 2 where 1 should follow");
    EXPECT_EQ(report.notes[1].entry, 2u);

    SampleJournal explained;
    explained.append(EntryType::kLogin, kAlice);
    explained.append(EntryType::kLoss, 0, [](EntryWriter& writer) { writer.add_uint(Field::kLostCount, 1); });
    explained.append({.type = EntryType::kStatement, .session = kAlice, .session_sequence = 3}, {});
    EXPECT_TRUE(verify(explained).notes.empty());
}

TEST(Verify, ASealsRootIsJudged) {
    const auto with = [](std::uint64_t size, Hash root) {
        SampleJournal journal;
        for (int i = 0; i < 300; ++i) journal.append(EntryType::kAlert, 0);
        Hash wanted = journal.root();
        for (int i = 0; i < 300; ++i) journal.append(EntryType::kAlert, 0);
        journal.append(EntryType::kSeal, 0, [&](EntryWriter& writer) {
            writer.add_uint(Field::kTreeSize, size);
            writer.add_bytes(Field::kTreeRoot, root == Hash{} ? wanted : root);
        });
        return first_problem(verify(journal));
    };
    EXPECT_EQ(with(300, {}), "");
    EXPECT_NE(with(301, {}).find("the seal's root of the first 301 entries is not theirs"), std::string::npos);
    EXPECT_NE(with(601, {}).find("does not name a tree size before it"), std::string::npos);
}

TEST(Verify, KeysRotateUnderBothSignatures) {
    SampleJournal journal;
    const VerifierKey first = journal.verifier();
    journal.statement(kAlice, 1, "SELECT 1");
    journal.checkpoint();
    journal.rotate(2);
    const VerifierKey second = journal.verifier();
    journal.statement(kAlice, 2, "SELECT 1");
    journal.checkpoint();
    EXPECT_EQ(first_problem(verify(journal, {.keys = {first}})), "");
    EXPECT_EQ(first_problem(verify(journal, {.keys = {second}})), "");
    EXPECT_EQ(first_problem(verify(journal, {})), "");
    const VerifierKey stranger = VerifierKey::of(first.name, SampleJournal::key_of(7).public_key());
    EXPECT_NE(first_problem(verify(journal, {.keys = {stranger}})).find("no checkpoint is signed by a key"),
              std::string::npos);
}

TEST(Verify, ANewKeyAloneCannotTakeOver) {
    SampleJournal journal;
    const VerifierKey first = journal.verifier();
    journal.statement(kAlice, 1, "SELECT 1");
    journal.checkpoint();
    SampleJournal rotated = std::move(journal);
    rotated.rotate(2);
    // The old key's signature is cut from the doubly signed note.
    base::Bytes& file = rotated.files()[kCheckpointsName];
    const std::string text(base::text_of(file));
    const std::size_t line = text.find("\n\n", text.find("\n\n") + 1) + 2;
    file.erase(file.begin() + static_cast<std::ptrdiff_t>(line),
               file.begin() + static_cast<std::ptrdiff_t>(text.find('\n', line) + 1));
    EXPECT_NE(first_problem(verify(rotated, {.keys = {first}})).find("is not signed by the old key too"),
              std::string::npos);
}

TEST(Verify, AnotherKeyWithoutARotationIsAProblem) {
    SampleJournal journal;
    journal.statement(kAlice, 1, "SELECT 1");
    journal.checkpoint();
    const auto other = SampleJournal::key_of(2);
    journal.append_note(*sign_checkpoint(journal.checkpoint_now(), other));
    const VerifierKey second = VerifierKey::of(journal.verifier().name, other.public_key());
    EXPECT_NE(first_problem(verify(journal, {.keys = {journal.verifier(), second}})).find("the key in force"),
              std::string::npos);
}

TEST(Verify, AKeyForAnotherOriginIsNamed) {
    const VerifierKey foreign = VerifierKey::of("hoopguard/1/00", SampleJournal::key_of(1).public_key());
    EXPECT_EQ(first_problem(verify(small(), {.keys = {foreign}})),
              "checkpoints: none of the keys that were given is for "
              "hoopguard/7000000000000000001/101112131415161718191a1b1c1d1e1f");
}

TEST(Verify, RetentionLeavesAJournalThatVerifies) {
    SampleJournal journal = tall();
    journal.retain_from(2);
    const OriginReport report = verify(journal);
    EXPECT_EQ(first_problem(report), "");
    EXPECT_EQ(report.first_index, 802u);
    EXPECT_EQ(report.size, 1204u);
    // Tiles of removed entries still bind what they can.
    journal.files()[kTilesName][40] ^= 1;
    EXPECT_EQ(first_problem(verify(journal)),
              "tiles, offset 0: the hashes of removed entries 0 to 511 do not fit the oldest segment's header");
    std::fill_n(journal.files()[kTilesName].begin(), 64, 0);
    EXPECT_EQ(first_problem(verify(journal)), "") << "hashes that were lost are zero";
}

TEST(Verify, RemovalWithoutRetentionIsAProblem) {
    SampleJournal journal = tall();
    journal.remove_before(1);
    EXPECT_EQ(
        first_problem(verify(journal)),
        "0000000000000000.seg: segments before 0000000000000001.seg are missing, and no retention entry under a "
        "checkpoint allows it");
}

TEST(Verify, RetentionMustBeSignedBeforeItIsDone) {
    SampleJournal journal = tall();
    const std::size_t signed_size = journal.files()[kCheckpointsName].size();
    journal.retain_from(1);
    journal.files()[kCheckpointsName].resize(signed_size);
    EXPECT_NE(first_problem(verify(journal)).find("no retention entry under a checkpoint"), std::string::npos);
}

TEST(Verify, RetentionCannotLieAboutItsFrontier) {
    SampleJournal journal = tall();
    journal.append(EntryType::kRetention, 0, [&](EntryWriter& writer) {
        writer.add_uint(Field::kFirstKeptIndex, 401);
        CborWriter& cbor = writer.add_array(Field::kFrontier, 1);
        cbor.bytes(Hash{});
    });
    journal.checkpoint();
    EXPECT_NE(first_problem(verify(journal)).find("the retention entry's frontier"), std::string::npos);
}

TEST(Verify, DamageInTheMiddleDoesNotHideTheRest) {
    SampleJournal journal = tall();
    journal.files()[segment_name(0)][kSegmentHeaderSize + 20] ^= 1;
    journal.files()[segment_name(2)][kSegmentHeaderSize + 20] ^= 1;
    const OriginReport report = verify(journal);
    ASSERT_EQ(report.problems.size(), 2u);
    EXPECT_EQ(report.problems[0].text(), "0000000000000000.seg, offset 4096, entry 0: checksum mismatch");
    EXPECT_EQ(report.problems[1].text(), "0000000000000002.seg, offset 4096, entry 802: checksum mismatch");
}

TEST(Verify, AMissingSegmentIsNamed) {
    SampleJournal journal = tall();
    journal.files().erase(segment_name(1));
    const OriginReport report = verify(journal);
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(first_problem(report), "0000000000000001.seg: the segment is missing");
}

TEST(Verify, AVersionFromTheFutureIsCalledThat) {
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

TEST(Verify, CanBeCancelledAndRefusesWhatIsNoOrigin) {
    const SampleJournal journal = small();
    const auto directory = journal.directory();
    const auto cancelled = verify_origin(*directory, {.keys = {}, .kept = {}, .go_on = [] { return false; }});
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().message, "the verification was cancelled");
    const Files nothing;
    MemoryDirectory empty(nothing, "here");
    EXPECT_FALSE(verify_origin(empty, {}));
    SampleJournal broken = small();
    broken.files()[segment_name(0)][0] ^= 1;
    broken.files()[segment_name(1)][0] ^= 1;
    const auto unreadable = broken.directory();
    const auto report = verify_origin(*unreadable, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message, "0000000000000000.seg: not a hoopguard journal segment");
}

TEST(Verify, ADirectoryUnderAnotherNameIsNamed) {
    SampleJournal journal = small();
    MemoryDirectory renamed(journal.files(), "origin-00000000000000000000000000000000");
    const auto report = verify_origin(renamed, {});
    ASSERT_TRUE(report);
    EXPECT_NE(first_problem(*report).find("but the directory is origin-00"), std::string::npos);
}

}  // namespace
}  // namespace hoopguard::record
