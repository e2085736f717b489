// The ring: its header, its mapping, reserving and publishing.
#include "journal_fixture.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <algorithm>

namespace hoopguard::record {
namespace {

using Texts = std::vector<std::string>;

TEST(RingHeader, SaysWhatItWasGiven) {
    RingIdentity given;
    given.origin.fill(0xAB);
    given.system = 1;
    given.nonce = 2;
    given.size = 3u << 16;
    given.near = 2u << 16;
    given.inode = 4;
    given.born = 5;
    given.created = 6;
    std::uint8_t header[kRingHeaderSize];
    encode_ring_header(given, 77, header);
    auto const found = decode_ring_header(header);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found.value().origin, given.origin);
    EXPECT_EQ(found.value().system, 1u);
    EXPECT_EQ(found.value().nonce, 2u);
    EXPECT_EQ(found.value().size, 3u << 16);
    EXPECT_EQ(found.value().near, 2u << 16);
    EXPECT_EQ(found.value().inode, 4u);
    EXPECT_EQ(found.value().born, 5u);
    EXPECT_EQ(found.value().created, 6u);
    EXPECT_EQ(base::get_u64(header + kRingCopiedAt), 77u);
    EXPECT_EQ(base::get_u64(header + kRingDurableAt), 77u);
}

TEST(RingHeader, EveryAlteredByteShows) {
    RingIdentity const given;
    std::uint8_t header[kRingHeaderSize];
    encode_ring_header(given, 0, header);
    for (std::size_t at = 0; at < 128; ++at) {
        header[at] ^= 1;
        EXPECT_FALSE(decode_ring_header(header).ok()) << at;
        header[at] ^= 1;
    }
    EXPECT_TRUE(decode_ring_header(header).ok());
}

TEST(RingHeader, AVersionFromTheFutureIsNamed) {
    std::uint8_t header[kRingHeaderSize];
    encode_ring_header({}, 0, header);
    base::put_u32(header + 8, kRingVersion + 1);
    EXPECT_NE(decode_ring_header(header).error().message.find("version is 3"), std::string::npos);
}

class RingTest : public JournalTest {};

TEST_F(RingTest, ItsEndGoesOnAtItsBeginning) {
    start();
    for (const RingPart& part : {ring_.near(), ring_.far()}) {
        std::memcpy(part.at(part.size - 8) + 8, "straddle", 8);
        EXPECT_EQ(std::memcmp(part.at(0), "straddle", 8), 0);
    }
}

TEST_F(RingTest, GivesNoMoreThanItHasAndKeepsTheMargin) {
    start();
    RingPlace place;
    EXPECT_FALSE(ring_.reserve(tail_, kTestRing + 8, 0, place));
    EXPECT_TRUE(ring_.reserve(tail_, kTestRing - 1024, 1024, place));
    EXPECT_FALSE(ring_.reserve(tail_, 8, 1024, place));
    EXPECT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.position, kTestRing - 1024);
    EXPECT_FALSE(ring_.reserve(tail_, 8, 0, place));
    ring_.set_copied(1024);
    EXPECT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.position, kTestRing);
}

TEST_F(RingTest, GoesIntoTheNearPartUnlessTheSealerIsTooFarBehind) {
    start();
    RingPlace place;
    ASSERT_TRUE(ring_.reserve(tail_, kTestNear - 1024, 0, place));
    EXPECT_EQ(place.word, ring_.near().at(0));
    ASSERT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.word, ring_.near().at(kTestNear - 1024));
    ASSERT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.word, ring_.far().at(kTestNear));
    ring_.set_copied(2047);
    ASSERT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.word, ring_.far().at(kTestNear + 1024));
    ring_.set_copied(kTestNear);
    ASSERT_TRUE(ring_.reserve(tail_, 1024, 0, place));
    EXPECT_EQ(place.word, ring_.near().at(2048));
}

TEST_F(RingTest, WhatStandsInBothPartsIsDrainedAndRecoveredInOrder) {
    start();
    Files& files = system_files();
    Texts expected;
    bool near = false;
    bool far = false;
    for (int lap = 0; lap < 5; ++lap) {
        SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
        ASSERT_TRUE(writer.resume(ring_.copied()).ok());
        Drain drain(ring_, writer, segment_number_);
        for (int i = 0; i < 120; ++i) {
            expected.push_back(std::to_string(lap) + ":" + std::to_string(i) + std::string(700, '.'));
            auto const* const word = append(expected.back()).word;
            bool const is_near = word >= ring_.near().data && word < ring_.near().data + 2 * kTestNear;
            (is_near ? near : far) = true;
        }
        // Every second time nobody drains before all processes die.
        if (lap % 2 == 0) {
            ASSERT_EQ(drain.step(tail_, kTestTime).error, 0);
        }
        ASSERT_EQ(recorded().size(), lap % 2 == 0 ? expected.size() : expected.size() - 120);
        crash();
        start();
        ASSERT_EQ(recorded(), expected);
    }
    EXPECT_TRUE(near);
    EXPECT_TRUE(far);
}

TEST_F(RingTest, ARingWithoutANearPartGoesOn) {
    place_.near_size = 0;
    start();
    Texts expected = {"one"};
    append(expected.back());
    crash();
    // As version 1 wrote it.
    std::uint8_t version[4];
    base::put_u32(version, 1);
    write_file(place_.directory + "/ring", 8, version, sizeof version);
    start();
    expected.push_back("two");
    auto const* const word = append(expected.back()).word;
    EXPECT_GE(word, ring_.far().data);
    EXPECT_LT(word, ring_.far().data + kTestRing);
    crash();
    start();
    EXPECT_EQ(recorded(), expected);
}

TEST_F(RingTest, AWordOfAnEarlierLapIsNotTakenForThisOne) {
    start();
    for (const RingPart& part : {ring_.near(), ring_.far()}) {
        Ring::publish({64, part.at(64)});
        EXPECT_EQ(ring_.published(64), part.at(64) + kCommitWordSize);
        EXPECT_EQ(ring_.published(64 + part.size), nullptr);
        Ring::publish({0, part.at(64)});
    }
}

TEST_F(RingTest, ManyProcessesAppendAndEveryEntryArrivesWhole) {
    start();
    constexpr int kProcesses = 4;
    constexpr int kEach = 3000;
    void* const memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto* const tail = new (memory) std::atomic<std::uint64_t>(0);
    std::vector<pid_t> children;
    for (int child = 0; child < kProcesses; ++child) {
        pid_t const pid = fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            for (int i = 0; i < kEach; ++i) {
                std::string const text =
                    std::to_string(child) + ":" + std::to_string(i) + std::string(i % 300, 'x');
                std::size_t const needed = entry(text, 0).size() + kCommitWordSize;
                RingPlace place;
                while (!ring_.reserve(*tail, needed, 4096, place)) usleep(50);
                base::Bytes const bytes = entry(text, place.position);
                std::copy(bytes.begin(), bytes.end(), place.entry());
                Ring::publish(place);
            }
            _exit(0);
        }
        children.push_back(pid);
    }
    Files& files = system_files();
    SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
    ASSERT_TRUE(writer.resume(0).ok());
    Drain drain(ring_, writer, segment_number_);
    std::uint64_t entries = 0;
    while (entries < std::uint64_t{kProcesses} * kEach) {
        DrainStep const step = drain.step(tail->load(), kTestTime);
        ASSERT_EQ(step.error, 0);
        ASSERT_FALSE(step.damaged);
        entries += step.entries;
    }
    for (pid_t const pid : children) {
        int status = 0;
        waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
    std::vector<int> next(kProcesses, 0);
    Texts const found = recorded();
    EXPECT_EQ(found.size(), std::size_t{kProcesses} * kEach);
    for (const std::string& text : found) {
        int const child = text[0] - '0';
        int const number = std::stoi(text.substr(2));
        EXPECT_EQ(number, next[child]++);
    }
    munmap(memory, 4096);
}

TEST_F(RingTest, ADamagedEntryIsNeverCopied) {
    start();
    append("sound");
    Place const place = append("to be damaged");
    place.word[kCommitWordSize + kEntryHeaderSize + 4] ^= 1;
    append("after it");
    Files& files = system_files();
    SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
    ASSERT_TRUE(writer.resume(0).ok());
    Drain drain(ring_, writer, segment_number_);
    EXPECT_TRUE(drain.step(tail_, kTestTime).damaged);
    EXPECT_EQ(recorded(), Texts{"sound"});
    EXPECT_EQ(ring_.copied(), place.position);
}

// Sees the zeros that are written ahead, and refuses them if told so.
class ZerosSeen : public Files {
 public:
    std::size_t seen = 0;
    bool refused = false;

 protected:
    long write_some(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept override {
        auto const* const bytes = static_cast<const std::uint8_t*>(from);
        bool const zeros = std::all_of(bytes, bytes + size, [](std::uint8_t byte) { return byte == 0; });
        seen += zeros ? size : 0;
        if (!zeros || !refused) return Files::write_some(descriptor, from, size, offset);
        errno = EIO;
        return -1;
    }
};

TEST_F(RingTest, ZerosAheadCoverNoEntryAndAreNotNeeded) {
    start();
    Texts expected;
    for (bool const refused : {false, true}) {
        ZerosSeen files;
        files.refused = refused;
        SegmentWriter writer(files, origin_.identity, origin_.directory, 4u << 20);
        ASSERT_TRUE(writer.resume(ring_.copied()).ok());
        Drain drain(ring_, writer, segment_number_);
        for (int i = 0; i < 600; ++i) {
            expected.push_back(std::to_string(i) + std::string(4000, '.'));
            append(expected.back());
            ASSERT_EQ(drain.step(tail_, kTestTime).error, 0);
        }
        EXPECT_GE(files.seen, std::size_t{refused ? 1u : 2u} << 20);
        EXPECT_EQ(recorded(), expected);
    }
    crash();
    start();
    EXPECT_EQ(recorded(), expected);
}

// Another maker puts its spare in place just before a segment gets its name.
class AnotherMaker : public Files {
 public:
    explicit AnotherMaker(std::string spare) : spare_(std::move(spare)) {}
    int rename(const std::string& from, const std::string& to) noexcept override {
        if (to.ends_with(".seg")) {
            EXPECT_EQ(Files::rename(spare_ + ".another", spare_), 0);
            ++renamed;
        }
        return Files::rename(from, to);
    }
    int renamed = 0;

 private:
    std::string spare_;
};

TEST_F(RingTest, AnotherMakersSpareDoesNotTakeASegmentsPlace) {
    start();
    std::string const spare = spare_path(origin_.directory);
    AnotherMaker files(spare);
    Texts expected;
    SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
    ASSERT_TRUE(writer.resume(0).ok());
    Drain drain(ring_, writer, segment_number_);
    for (int i = 0; i < 200; ++i) {
        expected.push_back(std::to_string(i) + std::string(700, '.'));
        append(expected.back());
        OpenFile another;
        ASSERT_EQ(open_file(files, spare + ".another", O_RDWR | O_CREAT | O_TRUNC, another), 0);
        ASSERT_EQ(files.allocate(another.get(), 0, kTestSegment), 0);
        ASSERT_EQ(drain.step(tail_, kTestTime).error, 0);
    }
    EXPECT_GT(files.renamed, 3);
    EXPECT_EQ(recorded(), expected);
    crash();
    start();
    EXPECT_EQ(recorded(), expected);
}

}  // namespace
}  // namespace hoopguard::record
