// The verifier: a good journal passes; keys, checkpoints, retention, seals and sessions are judged.
#include "verify_samples.hpp"

namespace hoopguard::record {
namespace {

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

// With a checksum that holds, as somebody writes it who knows the format and has no key.
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

TEST(Verify, ALossThatIsToldLaterExplainsAHole) {
    SampleJournal journal;
    journal.append({.type = EntryType::kLogin, .session = kAlice, .session_sequence = 1}, {});
    journal.append({.type = EntryType::kLogout, .session = kAlice, .session_sequence = 3}, {});
    EXPECT_EQ(verify(journal).notes.size(), 1u);
    journal.append(EntryType::kLoss, 0, [](EntryWriter& writer) { writer.add_uint(Field::kLostCount, 1); });
    EXPECT_TRUE(verify(journal).notes.empty());
    journal.append({.type = EntryType::kLogin, .session = kBob, .session_sequence = 1}, {});
    journal.append({.type = EntryType::kLogout, .session = kBob, .session_sequence = 3}, {});
    EXPECT_EQ(verify(journal).notes.size(), 1u);
}

TEST(Verify, ANumberThatFallsIsNoHole) {
    SampleJournal journal;
    journal.append({.type = EntryType::kLogin, .session = kAlice, .session_sequence = 1}, {});
    journal.append({.type = EntryType::kStatement, .session = kAlice, .session_sequence = 1}, {});
    journal.append(EntryType::kLoss, 0, [](EntryWriter& writer) { writer.add_uint(Field::kLostCount, 1); });
    EXPECT_EQ(verify(journal).notes.size(), 1u);
}

TEST(Verify, AnUnfinishedLastNoteIsNotedWhileTheServerRuns) {
    SampleJournal running;
    running.append(EntryType::kOpen, 0);
    running.checkpoint();
    running.append(EntryType::kLogin, kAlice);
    const std::size_t whole = running.files()[kCheckpointsName].size();
    running.checkpoint();
    const base::Bytes notes = running.files()[kCheckpointsName];
    for (std::size_t size = whole + 1; size < notes.size(); ++size) {
        running.files()[kCheckpointsName].assign(notes.begin(), notes.begin() + size);
        const OriginReport report = verify(running);
        EXPECT_EQ(first_problem(report), "") << size;
        ASSERT_EQ(report.notes.size(), 1u) << size;
        EXPECT_EQ(report.notes[0].what, "the last note is not finished");
        EXPECT_EQ(report.notes[0].offset, whole);
        EXPECT_EQ(report.covered, 1u);
    }
    // What no further byte could make a note of is none.
    const std::size_t blank = base::text_of(notes).rfind("\n\n");
    running.files()[kCheckpointsName].assign(notes.begin(), notes.begin() + blank + 2);
    running.files()[kCheckpointsName].push_back('x');
    EXPECT_NE(first_problem(verify(running)), "");

    SampleJournal stopped = small();
    stopped.files()[kCheckpointsName].push_back('h');
    EXPECT_NE(first_problem(verify(stopped)), "");
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

TEST(Verify, ASegmentNeverBegunIsOnlyNoted) {
    SampleJournal journal = small();
    journal.files()[segment_name(2)].resize(8192);
    OriginReport report = verify(journal);
    EXPECT_TRUE(report.ok());
    EXPECT_TRUE(report.stopped);
    ASSERT_EQ(report.notes.size(), 1u);
    EXPECT_EQ(report.notes.front().text(),
              "0000000000000002.seg, offset 0: the segment was prepared and never begun");
    journal.files()[segment_name(2)][4100] = 1;
    EXPECT_FALSE(verify(journal).ok()) << "something was there";
    // What it held before is missed.
    std::fill(journal.files()[segment_name(1)].begin(), journal.files()[segment_name(1)].end(), 0);
    journal.files().erase(segment_name(2));
    EXPECT_NE(first_problem(verify(journal)).find("are missing"), std::string::npos);
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
