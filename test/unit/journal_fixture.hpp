// A journal in a directory of its own, for tests: appends as backends do, without a server.
#pragma once

#include "record/drain.hpp"
#include "record/entry.hpp"
#include "record/origin.hpp"
#include "record/recovery.hpp"
#include "record/ring.hpp"
#include "record/slots.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>

namespace hoopguard::record {

// Files whose calls fail, or end the process, when their turn comes. Calls that only read do not count.
class FaultyFiles : public Files {
 public:
    std::uint64_t calls = 0;
    std::uint64_t fail_at = 0;  // 0: never
    int error = EIO;
    bool die = false;  // instead of failing; a write gets half done
    bool keep_failing = false;

    int open(const std::string& path, int flags, std::uint32_t mode, int* descriptor) noexcept override {
        if ((flags & O_CREAT) != 0) {
            if (int const fault = turn()) return fault;
        }
        return Files::open(path, flags, mode, descriptor);
    }
    int allocate(int descriptor, std::uint64_t offset, std::uint64_t size) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::allocate(descriptor, offset, size);
    }
    int truncate(int descriptor, std::uint64_t size) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::truncate(descriptor, size);
    }
    int sync_data(int descriptor) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::sync_data(descriptor);
    }
    int sync_directory(const std::string& path) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::sync_directory(path);
    }
    int rename(const std::string& from, const std::string& to) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::rename(from, to);
    }
    int remove(const std::string& path) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::remove(path);
    }
    int make_directory(const std::string& path) noexcept override {
        int const fault = turn();
        return fault != 0 ? fault : Files::make_directory(path);
    }

 protected:
    long write_some(int descriptor, const void* from, std::size_t size, std::uint64_t offset) noexcept override {
        if (++calls == fail_at || (keep_failing && fail_at != 0 && calls > fail_at)) {
            if (size > 8) (void)Files::write_some(descriptor, from, size / 2, offset);
            if (die) _exit(9);
            errno = error;
            return -1;
        }
        // Short writes are ordinary.
        return Files::write_some(descriptor, from, std::min<std::size_t>(size, 1500), offset);
    }

 private:
    int turn() noexcept {
        ++calls;
        if (fail_at == 0 || (calls != fail_at && !(keep_failing && calls > fail_at))) return 0;
        if (die) _exit(9);
        return error;
    }
};

inline constexpr std::uint64_t kTestRing = 128u << 10;
inline constexpr std::uint64_t kTestNear = 64u << 10;
inline constexpr std::uint64_t kTestSegment = 32u << 10;
inline constexpr std::uint32_t kTestSlots = 6;
inline constexpr std::uint64_t kTestSystem = 7000000000000000001u;
inline constexpr std::uint64_t kTestTime = 1'700'000'000'000'000'000u;

class JournalTest : public ::testing::Test {
 protected:
    void SetUp() override {
        char pattern[] = "/tmp/hoopguard-unit-XXXXXX";
        ASSERT_NE(mkdtemp(pattern), nullptr);
        home_ = pattern;
        place_.directory = home_ + "/journal";
        place_.system = kTestSystem;
        place_.user = geteuid();
        place_.now = kTestTime;
        place_.ring_size = kTestRing;
        place_.near_size = kTestNear;
    }
    void TearDown() override {
        ring_.unmap();
        slots_.unmap();
        std::filesystem::remove_all(home_);
    }

    // Opens and recovers, as the postmaster does; on success the ring is mapped and `tail_` set.
    base::Result<Recovered> start(Files& files) {
        ring_.unmap();
        slots_.unmap();
        origin_ = OpenOrigin{};
        auto opened = open_origin(files, place_);
        if (!opened.ok()) return opened.error();
        origin_ = std::move(*opened);
        std::string const slots = slots_path(place_.directory);
        auto recovered = recover(files, origin_, slots, kTestSegment, kTestTime);
        if (!recovered.ok()) return recovered.error();
        auto const file = make_slots(files, slots, origin_.identity, kTestSlots);
        if (!file.ok()) return file.error();
        EXPECT_EQ(slots_.map(file.value().get(), kTestSlots), 0);
        EXPECT_EQ(ring_.map(origin_.ring.get(), origin_.identity), 0);
        tail_ = recovered->tail;
        return recovered;
    }
    void start() {
        Files& files = system_files();
        auto const started = start(files);
        ASSERT_TRUE(started.ok()) << started.error().message;
    }
    // What a crash of every process leaves: the files.
    void crash() {
        ring_.unmap();
        slots_.unmap();
        origin_.ring.reset();
    }

    // A copied ring file that shall pass for the original: its header tells the copy's inode and birth.
    void adopt_ring() {
        Files& files = system_files();
        OpenFile file;
        std::uint8_t header[kRingHeaderSize];
        FileFacts facts;
        ASSERT_EQ(open_file(files, place_.directory + "/ring", O_RDWR, file), 0);
        ASSERT_EQ(files.read_at(file.get(), header, sizeof header, 0), 0);
        ASSERT_EQ(files.facts(file.get(), &facts), 0);
        auto identity = decode_ring_header(header);
        ASSERT_TRUE(identity.ok());
        std::uint64_t const copied = base::get_u64(header + kRingCopiedAt);
        std::uint64_t const durable = base::get_u64(header + kRingDurableAt);
        identity->inode = facts.inode;
        identity->born = facts.born;
        encode_ring_header(*identity, copied, header);
        base::put_u64(header + kRingDurableAt, durable);
        ASSERT_EQ(files.write_at(file.get(), header, sizeof header, 0), 0);
    }

    struct Place {
        std::uint64_t position = 0;
        std::uint8_t* word = nullptr;
        std::size_t length = 0;
    };
    base::Bytes entry(const std::string& text, std::uint64_t position) {
        base::Bytes bytes;
        EntryHead head;
        head.time = kTestTime;
        head.session = 1;
        EntryWriter writer(bytes, head);
        writer.add_text(Field::kStatement, text);
        EXPECT_NE(writer.finish(origin_.identity.nonce), 0u);
        seal_at(writer.data(), writer.partial_crc(), position);
        return bytes;
    }
    // Reserves and, unless told otherwise, copies and publishes.
    Place append(const std::string& text, bool copied = true, bool published = true) {
        std::size_t const length = entry(text, 0).size();
        RingPlace place;
        EXPECT_TRUE(ring_.reserve(tail_, length + kCommitWordSize, 0, place));
        base::Bytes const bytes = entry(text, place.position);
        if (copied) std::copy(bytes.begin(), bytes.end(), place.entry());
        if (published) Ring::publish(place);
        return {place.position, place.word, length};
    }

    // Fills the slot as a statement's beginning does, and opens it.
    Slot& open_slot(std::uint32_t at, const std::string& text) {
        Slot& slot = slots_[at];
        EntryHead head;
        head.time = kTestTime;
        head.session = 2 + at;
        head.session_sequence = 9;
        EntryWriter writer(slot.room(), head);
        writer.add_text(Field::kStatement, text);
        slot.set_front(static_cast<std::uint32_t>(writer.payload_size()));
        writer.add_uint(Field::kTransactionNo, 4);
        EXPECT_NE(writer.close(), 0u);
        slot.open(1);
        return slot;
    }
    // Reserves a place for what stands in the slot, notes it there and, if told so, copies and publishes.
    std::uint64_t move(Slot& slot, bool published) {
        std::size_t const length = EntryView(slot.entry()).length();
        RingPlace place;
        EXPECT_TRUE(ring_.reserve(tail_, length + kCommitWordSize, 0, place));
        slot.set(SlotState::kMoving, place.position);
        if (!published) return place.position;
        std::memcpy(place.entry(), slot.entry(), length);
        seal_closed(place.entry(), origin_.identity.nonce, place.position);
        Ring::publish(place);
        return place.position;
    }

    // Every entry of the origin's segments in order: the statement's text, "gap FROM-TO", or "fault".
    std::vector<std::string> recorded() {
        Files& files = system_files();
        std::vector<std::string> found;
        std::vector<std::uint64_t> numbers;
        EXPECT_EQ(list_segments(files, origin_.directory, &numbers), 0);
        std::uint64_t position = 0;
        for (std::uint64_t const number : numbers) {
            OpenFile file;
            FileFacts facts;
            EXPECT_EQ(open_file(files, segment_path(origin_.directory, number), O_RDONLY, file), 0);
            EXPECT_EQ(files.facts(file.get(), &facts), 0);
            std::uint8_t header[kSegmentHeaderSize];
            EXPECT_EQ(files.read_at(file.get(), header, sizeof header, 0), 0);
            auto const begun = decode_header(header);
            if (!begun.ok()) {
                found.push_back("fault");
                continue;
            }
            EXPECT_EQ(begun.value().first_position, position);
            SegmentScan scan(files, file.get(), facts.size, begun.value());
            while (scan.next()) {
                if (scan.entry().type() == EntryType::kGap)
                    found.push_back("gap " + std::to_string(*scan.entry().uint(Field::kGapFrom)) + "-" +
                                    std::to_string(*scan.entry().uint(Field::kGapTo)));
                else
                    found.emplace_back(scan.entry().text(Field::kStatement).value_or("no text"));
            }
            position = scan.position();
        }
        return found;
    }

    std::string segment(std::uint64_t number) { return segment_path(origin_.directory, number); }
    void write_file(const std::string& path, std::uint64_t offset, const void* bytes, std::size_t size) {
        Files& files = system_files();
        OpenFile file;
        ASSERT_EQ(open_file(files, path, O_RDWR, file), 0);
        ASSERT_EQ(files.write_at(file.get(), bytes, size, offset), 0);
    }

    std::string home_;
    JournalPlace place_;
    OpenOrigin origin_;
    Ring ring_;
    Slots slots_;
    std::atomic<std::uint64_t> tail_{0};
    std::atomic<std::uint64_t> segment_number_{0};
};

}  // namespace hoopguard::record
