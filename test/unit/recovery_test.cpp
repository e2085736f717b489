// Recovery: from a ring as a crash leaves it to segments, whatever fails on the way.
#include "journal_fixture.hpp"

#include <sys/wait.h>
#include <algorithm>

namespace hoopguard::record {
namespace {

using Texts = std::vector<std::string>;

class RecoveryTest : public JournalTest {
 protected:
    // Drains what is in the ring, as the sealer would.
    void drain() {
        Files& files = system_files();
        SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
        ASSERT_TRUE(writer.resume(ring_.copied()).ok());
        Drain drain(ring_, writer, segment_number_);
        while (writer.position() < tail_ && drain.step(tail_, kTestTime).entries > 0) {
        }
        EXPECT_EQ(drain.step(tail_, kTestTime).error, 0);
    }
    // A journal with entries in segments and in the ring, and two holes there.
    Texts prepare() {
        Texts expected;
        for (int i = 0; i < 150; ++i) {
            expected.push_back("copied " + std::to_string(i) + std::string(200, '.'));
            append(expected.back());
        }
        drain();
        expected.push_back("first in the ring");
        append(expected.back());
        Place hole = append("never copied", false, false);
        expected.push_back("gap " + std::to_string(hole.position) + "-" +
                           std::to_string(hole.position + hole.length + kCommitWordSize));
        for (int i = 0; i < 60; ++i) {
            expected.push_back("in the ring " + std::to_string(i) + std::string(300, '.'));
            append(expected.back());
        }
        hole = append("copied, never published", true, false);
        Place const second = append("nor this", true, false);
        expected.push_back("gap " + std::to_string(hole.position) + "-" +
                           std::to_string(second.position + second.length + kCommitWordSize));
        expected.push_back("last");
        append("last");
        append("at the very end, never published", true, false);
        open_slot(1, "in its slot");
        open_slot(3, "claimed").claim();
        expected.push_back("in its slot");
        expected.push_back("claimed");
        return expected;
    }
};

TEST_F(RecoveryTest, AFirstStartBeginsAnOrigin) {
    Files& files = system_files();
    auto const started = start(files);
    ASSERT_TRUE(started.ok()) << started.error().message;
    EXPECT_TRUE(origin_.begun);
    EXPECT_EQ(started.value().tail, 0u);
    EXPECT_TRUE(recorded().empty());
}

TEST_F(RecoveryTest, ASecondStartGoesOn) {
    start();
    std::string const first = origin_.directory;
    crash();
    start();
    EXPECT_FALSE(origin_.begun);
    EXPECT_EQ(origin_.directory, first);
}

TEST_F(RecoveryTest, WhatIsInTheRingGoesIntoSegmentsAndHolesBecomeGaps) {
    start();
    Texts const expected = prepare();
    crash();
    Files& files = system_files();
    auto const started = start(files);
    ASSERT_TRUE(started.ok()) << started.error().message;
    EXPECT_EQ(recorded(), expected);
    EXPECT_EQ(started.value().entries, 64u);
    EXPECT_EQ(started.value().gaps, 2u);
    EXPECT_EQ(ring_.copied(), tail_);
    EXPECT_EQ(ring_.durable(), tail_);
    for (const RingPart& part : {ring_.near(), ring_.far()})
        for (std::uint64_t at = 0; at < part.size; ++at) ASSERT_EQ(*part.at(at), 0) << at;
}

TEST_F(RecoveryTest, WhatFollowsARecoveryIsRecordedToo) {
    start();
    Texts expected = prepare();
    crash();
    start();
    append("afterwards");
    drain();
    expected.push_back("afterwards");
    EXPECT_EQ(recorded(), expected);
    crash();
    start();
    EXPECT_EQ(recorded(), expected);
}

TEST_F(RecoveryTest, AWriteThatWasNotToldToTheRingIsNotRepeated) {
    start();
    append("one");
    append("two");
    std::uint64_t const before = ring_.copied();
    drain();
    ring_.set_copied(before);
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"one", "two"}));
}

TEST_F(RecoveryTest, PositionsThatTheOperatingSystemLostBecomeAGap) {
    start();
    append("one");
    std::uint64_t const kept = tail_;
    append("two");
    drain();
    std::uint64_t const end = tail_;
    // The ring's header reached the disk; the segment's end and the ring's data did not.
    std::string const zeros(200, '\0');
    write_file(segment(0), kSegmentHeaderSize + kept - kCommitWordSize, zeros.data(), zeros.size());
    std::fill(ring_.near().at(kept), ring_.near().at(end), 0);
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"one", "gap " + std::to_string(kept) + "-" + std::to_string(end)}));
    EXPECT_EQ(tail_, end);
}

TEST_F(RecoveryTest, WhatTheOperatingSystemLeftBehindTheEndIsCleared) {
    start();
    append("one");
    drain();
    append("two");
    write_file(segment(0), kSegmentHeaderSize + 300, "garbage", 7);
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"one", "two"}));
    Files& files = system_files();
    OpenFile file;
    ASSERT_EQ(open_file(files, segment(0), O_RDONLY, file), 0);
    char found[7];
    ASSERT_EQ(files.read_at(file.get(), found, 7, kSegmentHeaderSize + 300), 0);
    EXPECT_EQ(std::string(found, 7), std::string(7, '\0'));
}

// Tells what was written where, whichever file it was.
class WitnessFiles : public Files {
 public:
    std::vector<std::pair<std::uint64_t, std::uint64_t>> written;

    int write_at(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept override {
        written.emplace_back(offset, offset + size);
        return Files::write_at(descriptor, from, size, offset);
    }
    bool wrote(std::uint64_t from, std::uint64_t to) const {
        return std::any_of(written.begin(), written.end(),
                           [&](auto const& range) { return range.first <= from && to <= range.second; });
    }
};

TEST_F(RecoveryTest, WhatNoFlushVouchedForIsWrittenOnceMore) {
    start();
    append("flushed");
    drain();
    ring_.set_durable(ring_.copied());
    std::uint64_t const flushed = kSegmentHeaderSize + tail_ - kCommitWordSize;
    append("copied, and the flush failed");
    drain();
    std::uint64_t const copied = kSegmentHeaderSize + tail_ - 2 * kCommitWordSize;
    crash();
    WitnessFiles files;
    ASSERT_TRUE(start(files).ok());
    EXPECT_TRUE(files.wrote(flushed, copied));
    EXPECT_FALSE(files.wrote(flushed - 1, copied));
    EXPECT_EQ(recorded(), (Texts{"flushed", "copied, and the flush failed"}));
    crash();
    WitnessFiles again;
    ASSERT_TRUE(start(again).ok());
    EXPECT_FALSE(again.wrote(flushed, flushed + 1)) << "everything was durable";
    origin_ = OpenOrigin{};
}

TEST_F(RecoveryTest, DyingAtEveryCallAndStartingAgainGivesTheSame) {
    start();
    Texts const expected = prepare();
    crash();
    std::string const kept = home_ + "/kept";
    std::filesystem::rename(place_.directory, kept);
    std::uint64_t deaths = 0;
    for (std::uint64_t at = 1;; ++at) {
        std::filesystem::remove_all(place_.directory);
        std::filesystem::copy(kept, place_.directory, std::filesystem::copy_options::recursive);
        adopt_ring();
        pid_t const pid = fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            FaultyFiles files;
            files.fail_at = at;
            files.die = true;
            _exit(start(files).ok() ? 0 : 1);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_NE(WEXITSTATUS(status), 1);
        start();
        ASSERT_EQ(recorded(), expected) << "died at call " << at;
        crash();
        if (WEXITSTATUS(status) == 0) break;
        ++deaths;
    }
    EXPECT_GT(deaths, 20u);
}

TEST_F(RecoveryTest, FailingAtEveryCallRefusesAndLosesNothing) {
    start();
    Texts const expected = prepare();
    crash();
    std::string const kept = home_ + "/kept";
    std::filesystem::rename(place_.directory, kept);
    for (int const error : {EIO, ENOSPC}) {
        for (std::uint64_t at = 1;; ++at) {
            std::filesystem::remove_all(place_.directory);
            std::filesystem::copy(kept, place_.directory, std::filesystem::copy_options::recursive);
            adopt_ring();
            FaultyFiles files;
            files.fail_at = at;
            files.error = error;
            auto const started = start(files);
            if (files.calls < at) {
                crash();
                break;
            }
            ASSERT_FALSE(started.ok()) << "call " << at;
            EXPECT_EQ(started.error().number, error);
            crash();
            start();
            ASSERT_EQ(recorded(), expected) << "failed at call " << at;
            crash();
        }
    }
}

TEST_F(RecoveryTest, ASegmentCutShorterThanWasDurableRefusesTheStart) {
    start();
    append("one");
    std::uint64_t const end = tail_;
    append("two");
    drain();
    ring_.set_durable(tail_);
    crash();
    Files& files = system_files();
    OpenFile file;
    ASSERT_EQ(open_file(files, segment(0), O_RDWR, file), 0);
    ASSERT_EQ(files.truncate(file.get(), kSegmentHeaderSize + end + 20), 0);
    auto const started = start(files);
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().message.find(segment(0)), std::string::npos);
    EXPECT_NE(started.error().message.find("altered or cut"), std::string::npos);
}

TEST_F(RecoveryTest, ASegmentCutShorterThanACheckpointRefusesTheStart) {
    start();
    append("one");
    append("two");
    drain();
    std::string const note = "hoopguard/1/x\n2\nroot=\nposition " + std::to_string(tail_) + "\ntime x\n\n- sig\n";
    Files& files = system_files();
    OpenFile file;
    ASSERT_EQ(open_file(files, origin_.directory + "/checkpoints", O_RDWR | O_CREAT, file), 0);
    ASSERT_EQ(files.write_at(file.get(), note.data(), note.size(), 0), 0);
    std::uint8_t const zeros[300] = {};
    write_file(segment(0), kSegmentHeaderSize, zeros, sizeof zeros);
    crash();
    auto const started = start(files);
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().message.find("durable"), std::string::npos);
}

TEST_F(RecoveryTest, MissingSegmentsRefuseTheStart) {
    start();
    append("one");
    drain();
    ring_.set_durable(tail_);
    crash();
    std::filesystem::remove(segment(0));
    Files& files = system_files();
    auto const started = start(files);
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().message.find("missing"), std::string::npos);
}

TEST_F(RecoveryTest, ANewSegmentWhoseHeaderTheOperatingSystemLostIsPassedOver) {
    start();
    append("one");
    drain();
    append("two");
    std::string const zeros(8192, '\0');
    {
        Files& files = system_files();
        OpenFile file;
        ASSERT_EQ(open_file(files, segment(1), O_RDWR | O_CREAT, file), 0);
        ASSERT_EQ(files.write_at(file.get(), zeros.data(), zeros.size(), 0), 0);
    }
    crash();
    start();
    EXPECT_EQ(recorded(), (Texts{"one", "two"}));
}

TEST_F(RecoveryTest, ASegmentOfAnotherOriginRefusesTheStart) {
    start();
    append("one");
    drain();
    std::filesystem::copy(segment(0), home_ + "/foreign");
    crash();
    std::filesystem::remove_all(place_.directory);
    start();
    std::filesystem::copy(home_ + "/foreign", segment(0));
    crash();
    Files& files = system_files();
    auto const started = start(files);
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().message.find("does not belong here"), std::string::npos);
}

}  // namespace
}  // namespace hoopguard::record
