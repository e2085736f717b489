// The ring: its header, its mapping, reserving and publishing.
#include "journal_fixture.hpp"

#include <sys/mman.h>
#include <sys/wait.h>

namespace hoopguard::record {
namespace {

using Texts = std::vector<std::string>;

TEST(RingHeader, SaysWhatItWasGiven) {
    RingIdentity given;
    given.origin.fill(0xAB);
    given.system = 1;
    given.nonce = 2;
    given.size = 3u << 16;
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
    EXPECT_NE(decode_ring_header(header).error().message.find("version is 2"), std::string::npos);
}

class RingTest : public JournalTest {};

TEST_F(RingTest, ItsEndGoesOnAtItsBeginning) {
    start();
    std::uint8_t* const end = ring_.at(kTestRing - 8) + 8;
    std::memcpy(end, "straddle", 8);
    EXPECT_EQ(std::memcmp(ring_.at(0), "straddle", 8), 0);
}

TEST_F(RingTest, GivesNoMoreThanItHasAndKeepsTheMargin) {
    start();
    std::uint64_t position;
    EXPECT_FALSE(ring_.reserve(tail_, kTestRing + 8, 0, position));
    EXPECT_TRUE(ring_.reserve(tail_, kTestRing - 1024, 1024, position));
    EXPECT_FALSE(ring_.reserve(tail_, 8, 1024, position));
    EXPECT_TRUE(ring_.reserve(tail_, 1024, 0, position));
    EXPECT_EQ(position, kTestRing - 1024);
    EXPECT_FALSE(ring_.reserve(tail_, 8, 0, position));
    ring_.set_copied(1024);
    EXPECT_TRUE(ring_.reserve(tail_, 1024, 0, position));
    EXPECT_EQ(position, kTestRing);
}

TEST_F(RingTest, AWordOfAnEarlierLapIsNotTakenForThisOne) {
    start();
    ring_.publish(64);
    EXPECT_TRUE(ring_.published(64));
    EXPECT_FALSE(ring_.published(64 + kTestRing));
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
                std::uint64_t position;
                while (!ring_.reserve(*tail, needed, 4096, position)) usleep(50);
                base::Bytes const bytes = entry(text, position);
                std::copy(bytes.begin(), bytes.end(), ring_.at(position) + kCommitWordSize);
                ring_.publish(position);
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
    ring_.at(place.position)[kCommitWordSize + kEntryHeaderSize + 4] ^= 1;
    append("after it");
    Files& files = system_files();
    SegmentWriter writer(files, origin_.identity, origin_.directory, kTestSegment);
    ASSERT_TRUE(writer.resume(0).ok());
    Drain drain(ring_, writer, segment_number_);
    EXPECT_TRUE(drain.step(tail_, kTestTime).damaged);
    EXPECT_EQ(recorded(), Texts{"sound"});
    EXPECT_EQ(ring_.copied(), place.position);
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
