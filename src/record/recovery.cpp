// Copying a ring's leftovers into the last segment.
#include "record/recovery.hpp"

#include "base/text.hpp"
#include "record/entry.hpp"
#include "record/segment.hpp"
#include "record/segment_scan.hpp"
#include "record/slots.hpp"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace hoopguard::record {
namespace {

using base::fail;
using base::Status;

constexpr std::size_t kChunk = 1u << 20;

// The ring's data, once and with its beginning repeated behind its end, so that entries are whole.
class RingImage {
 public:
    Status load(Files& files, const OpenOrigin& origin) {
        size_ = origin.identity.size;
        mirror_ = std::min<std::uint64_t>(size_, kMaxEntrySize + kCommitWordSize);
        bytes_.reset(new std::uint8_t[size_ + mirror_]);
        int result = files.read_at(origin.ring.get(), bytes_.get(), size_, kRingDataAt);
        std::uint8_t live[16];
        if (result == 0) result = files.read_at(origin.ring.get(), live, 8, kRingCopiedAt);
        if (result == 0) result = files.read_at(origin.ring.get(), live + 8, 8, kRingDurableAt);
        if (result != 0)
            return fail(std::string("cannot read the journal's ring file: ") + std::strerror(result), result);
        std::memcpy(bytes_.get() + size_, bytes_.get(), mirror_);
        copied_ = base::get_u64(live);
        durable_ = base::get_u64(live + 8);
        nonce_ = origin.identity.nonce;
        return {};
    }

    std::uint64_t size() const noexcept { return size_; }
    std::uint64_t copied() const noexcept { return copied_; }
    std::uint64_t durable() const noexcept { return durable_; }
    const std::uint8_t* data() const noexcept { return bytes_.get(); }

    // The entry published at `position`, if there is a sound one.
    bool entry_at(std::uint64_t position, EntryView* found) const noexcept {
        std::uint64_t const offset = position % size_;
        const std::uint8_t* const word = bytes_.get() + offset;
        if (base::get_u64(word) != (position | 1)) return false;
        std::uint64_t const room = std::min(size_ + mirror_ - offset, size_) - kCommitWordSize;
        if (check_entry({word + kCommitWordSize, room}, nonce_) != EntryFault::kNone) return false;
        *found = EntryView(word + kCommitWordSize);
        return found->position() == position;
    }

 private:
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint64_t size_ = 0;
    std::uint64_t mirror_ = 0;
    std::uint64_t copied_ = 0;
    std::uint64_t durable_ = 0;
    std::uint64_t nonce_ = 0;
};

bool all_zero(const std::uint8_t* bytes, std::size_t size) noexcept {
    return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

// The segment that recovery appends to.
class LastSegment {
 public:
    LastSegment(Files& files, const OpenOrigin& origin, std::uint64_t segment_size, std::uint64_t now)
        : files_(files), origin_(origin), segment_size_(segment_size), now_(now) {}

    // Finds the last segment and where its sound part ends; `required` must have been reached.
    Status open(std::uint64_t required);
    // Adds to what write_out() writes.
    Status append(base::ByteView entry);
    Status append_gap(std::uint64_t from, std::uint64_t to);
    Status write_out();
    // Clears what a crash may have left behind the last entry, and makes all of it durable, as well as
    // the segments before it that were not.
    Status finish(std::uint64_t durable);

    std::uint64_t position() const noexcept { return position_; }
    bool exists() const noexcept { return !numbers_.empty(); }
    std::uint64_t number() const noexcept { return numbers_.back(); }

 private:
    Status open_number(std::uint64_t number, std::uint64_t required, bool* unused);
    Status create_first();
    Status clear_rest();
    int write_again(int file, std::uint64_t from, std::uint64_t to);
    Status sync_earlier(std::uint64_t durable);
    base::Error damaged(std::uint64_t number, const std::string& why) const {
        return fail("journal segment \"" + segment_path(origin_.directory, number) + "\" " + why + kRemedyMark +
                    "Put the segment back from the archive. Or move the journal's ring file away and start again: "
                    "the journal goes on in a new origin, and the damage stays visible in this one.");
    }

    Files& files_;
    const OpenOrigin& origin_;
    std::uint64_t segment_size_;
    std::uint64_t now_;
    std::vector<std::uint64_t> numbers_;
    OpenFile file_;
    SegmentHeader header_;
    std::uint64_t file_size_ = 0;
    std::uint64_t offset_ = kSegmentHeaderSize;
    // What was found there, and up to where a flush vouched for it.
    std::uint64_t found_ = 0;
    std::uint64_t flushed_ = 0;
    std::uint64_t position_ = 0;
    EntryFault fault_ = EntryFault::kNone;
    base::Bytes pending_;
};

Status LastSegment::open(std::uint64_t required) {
    int const result = list_segments(files_, origin_.directory, &numbers_);
    if (result != 0) return file_error("list", origin_.directory, result);
    while (!numbers_.empty()) {
        bool unused = false;
        if (Status opened = open_number(numbers_.back(), required, &unused); !opened.ok()) return opened.error();
        if (!unused) break;
        numbers_.pop_back();
    }
    if (position_ >= required) return {};
    std::string const reached = "position " + std::to_string(required) + ", which the journal had made durable";
    if (numbers_.empty())
        return fail("the segments of journal origin \"" + origin_.directory + "\" are missing: it had reached " +
                    reached + kRemedyMark +
                    "Put the directory back from a backup, or move the journal's ring file away to begin a "
                    "new origin.");
    return damaged(numbers_.back(), "was altered or cut: it ends at offset " + std::to_string(offset_) + " (" +
                                        describe(fault_) + "), before " + reached);
}

Status LastSegment::open_number(std::uint64_t number, std::uint64_t required, bool* unused) {
    std::string const path = segment_path(origin_.directory, number);
    int result = open_file(files_, path, O_RDWR, file_);
    if (result != 0) return file_error("open journal segment", path, result);
    FileFacts facts;
    result = files_.facts(file_.get(), &facts);
    if (result != 0) return file_error("look at", path, result);
    file_size_ = facts.size;
    std::uint8_t header[kSegmentHeaderSize] = {};
    if (facts.size >= sizeof header) result = files_.read_at(file_.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    if (all_zero(header, sizeof header)) {
        // The operating system died between giving the file its name and writing its header: it holds nothing.
        *unused = true;
        file_.reset();
        result = files_.remove(path);
        if (result != 0) return file_error("remove", path, result);
        return {};
    }
    auto decoded = decode_header(header);
    if (!decoded.ok()) return damaged(number, "cannot be read: " + decoded.error().message);
    header_ = *decoded;
    if (header_.origin != origin_.identity.origin || header_.number != number ||
        header_.nonce != origin_.identity.nonce || header_.system != origin_.identity.system)
        return damaged(number, "does not belong here: its header names another origin or number");
    SegmentScan scan(files_, file_.get(), file_size_, header_);
    flushed_ = 0;
    while (scan.next()) {
        if (scan.position() <= required) flushed_ = scan.offset();
    }
    if (scan.error() != 0) return file_error("read", path, scan.error());
    fault_ = scan.fault();
    found_ = offset_ = scan.offset();
    position_ = scan.position();
    if (fault_ == EntryFault::kVersion)
        return fail("journal segment \"" + path + "\" has an entry at offset " + std::to_string(offset_) +
                    " that a newer hoopguard wrote" + kRemedyMark +
                    "Start the server with that version of hoopguard.");
    return {};
}

Status LastSegment::create_first() {
    header_ = SegmentHeader{};
    header_.origin = origin_.identity.origin;
    header_.system = origin_.identity.system;
    header_.nonce = origin_.identity.nonce;
    header_.created = now_;
    std::string const making = spare_path(origin_.directory);
    std::string const path = segment_path(origin_.directory, 0);
    int result = open_file(files_, making, O_RDWR | O_CREAT | O_TRUNC, file_);
    if (result != 0) return file_error("create", making, result);
    result = files_.allocate(file_.get(), 0, segment_size_);
    std::uint8_t header[kSegmentHeaderSize];
    encode_header(header_, header);
    if (result == 0) result = files_.write_at(file_.get(), header, sizeof header, 0);
    if (result == 0) result = files_.sync_data(file_.get());
    if (result == 0) result = files_.rename(making, path);
    if (result == 0) result = files_.sync_directory(origin_.directory);
    if (result != 0) return file_error("create", path, result);
    file_size_ = segment_size_;
    numbers_.push_back(0);
    return {};
}

Status LastSegment::append(base::ByteView entry) {
    pending_.insert(pending_.end(), entry.begin(), entry.end());
    position_ = EntryView(entry.data()).next_position();
    return pending_.size() < kChunk ? Status() : write_out();
}

Status LastSegment::append_gap(std::uint64_t from, std::uint64_t to) {
    EntryHead head;
    head.type = EntryType::kGap;
    head.flags = kFlagRecovered;
    head.time = now_;
    base::Bytes bytes;
    EntryWriter writer(bytes, head);
    writer.add_uint(Field::kGapFrom, from);
    writer.add_uint(Field::kGapTo, to);
    if (writer.finish(origin_.identity.nonce) == 0) return fail("cannot write a gap entry");
    seal_at(writer.data(), writer.partial_crc(), from);
    return append(bytes);
}

Status LastSegment::write_out() {
    if (pending_.empty()) return {};
    if (numbers_.empty()) {
        if (Status made = create_first(); !made.ok()) return made.error();
    }
    std::string const path = segment_path(origin_.directory, numbers_.back());
    std::uint64_t const end = offset_ + pending_.size();
    int result = end > file_size_ ? files_.allocate(file_.get(), file_size_, end - file_size_) : 0;
    if (result == ENOSPC)
        return fail("no room to recover the journal into \"" + path + "\"" + kRemedyMark +
                        "Nothing is lost. Free at least " + std::to_string(origin_.identity.size >> 20) +
                        " MB there and start again.",
                    result);
    if (result == 0) result = files_.write_at(file_.get(), pending_.data(), pending_.size(), offset_);
    if (result != 0) return file_error("write", path, result);
    file_size_ = std::max(file_size_, end);
    offset_ = end;
    pending_.clear();
    return {};
}

Status LastSegment::clear_rest() {
    std::string const path = segment_path(origin_.directory, numbers_.back());
    base::Bytes bytes;
    base::Bytes const zeros(kChunk);
    for (std::uint64_t at = offset_; at < file_size_; at += bytes.size()) {
        bytes.resize(std::min<std::uint64_t>(kChunk, file_size_ - at));
        int result = files_.read_at(file_.get(), bytes.data(), bytes.size(), at);
        if (result == 0 && !all_zero(bytes.data(), bytes.size()))
            result = files_.write_at(file_.get(), zeros.data(), bytes.size(), at);
        if (result != 0) return file_error("clear the end of", path, result);
    }
    return {};
}

// 0 or errno. A flush that failed leaves the kernel with pages that it takes for clean and that are on no disk:
// the next flush would succeed without them.
int LastSegment::write_again(int file, std::uint64_t from, std::uint64_t to) {
    base::Bytes bytes;
    for (std::uint64_t at = from; at < to; at += bytes.size()) {
        bytes.resize(std::min<std::uint64_t>(kChunk, to - at));
        int result = files_.read_at(file, bytes.data(), bytes.size(), at);
        if (result == 0) result = files_.write_at(file, bytes.data(), bytes.size(), at);
        if (result != 0) return result;
    }
    return 0;
}

Status LastSegment::sync_earlier(std::uint64_t durable) {
    std::uint64_t first_position = header_.first_position;
    for (std::size_t i = numbers_.size() - 1; i > 0 && first_position > durable; --i) {
        std::string const path = segment_path(origin_.directory, numbers_[i - 1]);
        OpenFile file;
        int result = open_file(files_, path, O_RDWR, file);
        FileFacts facts;
        std::uint8_t header[kSegmentHeaderSize];
        if (result == 0) result = files_.read_at(file.get(), header, sizeof header, 0);
        if (result == 0) result = files_.facts(file.get(), &facts);
        if (result == 0) result = write_again(file.get(), 0, facts.size);
        if (result == 0) result = files_.sync_data(file.get());
        if (result != 0) return file_error("make durable", path, result);
        auto const start = decode_header(header);
        if (!start.ok()) return damaged(numbers_[i - 1], "cannot be read: " + start.error().message);
        first_position = start.value().first_position;
    }
    return {};
}

Status LastSegment::finish(std::uint64_t durable) {
    if (numbers_.empty()) return {};
    if (Status cleared = clear_rest(); !cleared.ok()) return cleared.error();
    if (Status synced = sync_earlier(durable); !synced.ok()) return synced.error();
    int result = write_again(file_.get(), flushed_, found_);
    if (result == 0) result = files_.sync_data(file_.get());
    if (result == 0) result = files_.sync_directory(origin_.directory);
    if (result != 0) return file_error("make durable", segment_path(origin_.directory, numbers_.back()), result);
    return {};
}

// First the positions, durably, then the data: a crash in between leaves entries that count as copied.
Status clear_ring(Files& files, const OpenOrigin& origin, const RingImage& image, std::uint64_t tail) {
    std::uint8_t number[8];
    base::put_u64(number, tail);
    int result = files.write_at(origin.ring.get(), number, 8, kRingCopiedAt);
    if (result == 0) result = files.write_at(origin.ring.get(), number, 8, kRingDurableAt);
    if (result == 0) result = files.sync_data(origin.ring.get());
    base::Bytes const zeros(kRingDataAt);
    for (std::uint64_t at = 0; at < image.size() && result == 0; at += zeros.size()) {
        if (!all_zero(image.data() + at, zeros.size()))
            result = files.write_at(origin.ring.get(), zeros.data(), zeros.size(), kRingDataAt + at);
    }
    if (result != 0)
        return fail(std::string("cannot write the journal's ring file: ") + std::strerror(result), result);
    return {};
}

// Whether what stands in the slot got its entry before its process died: drained, or published in the ring.
bool is_on_record(const RingImage& image, const LeftOpen& left) noexcept {
    if (left.state != SlotState::kMoving && left.state != SlotState::kMoved) return false;
    EntryView entry;
    return left.position < image.copied() || image.entry_at(left.position, &entry);
}

// The position behind the last entry that was published.
std::uint64_t end_of(const RingImage& image) noexcept {
    std::uint64_t end = image.copied();
    for (std::uint64_t at = end; at < image.copied() + image.size();) {
        EntryView entry;
        bool const sound = image.entry_at(at, &entry);
        at = sound ? entry.next_position() : at + kEntryAlignment;
        if (sound) end = at;
    }
    return end;
}

// Gives these entries their places behind all others. Begun anew, recovery comes to the same places, and passes
// over what is in the segment already.
Status append_left_open(LastSegment& segment, std::vector<LeftOpen>& all, std::uint64_t position,
                        std::uint64_t nonce) {
    for (LeftOpen& left : all) {
        std::uint8_t* const entry = left.entry.data();
        auto const flags = static_cast<std::uint16_t>(base::get_u16(entry + kFlagsAt) | kFlagRecovered);
        base::put_u16(entry + kFlagsAt, flags);
        base::put_u64(entry + kSessionSequenceAt, 0);
        left.position = position;
        seal_closed(entry, nonce, position);
        position = EntryView(entry).next_position();
        if (segment.position() >= position) continue;
        if (Status appended = segment.append(left.entry); !appended.ok()) return appended;
    }
    return {};
}

Status note_places(Files& files, const std::string& slots, const std::vector<LeftOpen>& left) {
    int const result = mark_moved(files, slots, left);
    return result == 0 ? Status() : file_error("write", slots, result);
}

}  // namespace

base::Result<Recovered> recover(Files& files, const OpenOrigin& origin, const std::string& slots,
                                std::uint64_t segment_size, std::uint64_t now) {
    RingImage ring;
    if (Status loaded = ring.load(files, origin); !loaded.ok()) return loaded.error();
    auto left_open = slots.empty() ? std::vector<LeftOpen>() : read_slots(files, slots, origin.identity);
    if (!left_open.ok()) return left_open.error();
    std::erase_if(*left_open, [&](const LeftOpen& left) { return is_on_record(ring, left); });
    auto const checkpointed = last_checkpoint_position(files, origin.directory);
    if (!checkpointed.ok()) return checkpointed.error();
    LastSegment segment(files, origin, segment_size, now);
    Status step = segment.open(std::max(ring.durable(), checkpointed.value()));
    if (!step.ok()) return step.error();

    Recovered recovered;
    auto const gap_up_to = [&](std::uint64_t position) -> Status {
        if (segment.position() >= position) return {};
        ++recovered.gaps;
        recovered.notices.push_back("the journal has a gap: positions " + std::to_string(segment.position()) +
                                    " to " + std::to_string(position) +
                                    " were reserved by a process that died, or lost by the operating system");
        return segment.append_gap(segment.position(), position);
    };
    std::uint64_t const limit = std::max(segment.position(), ring.copied()) + ring.size();
    for (std::uint64_t at = segment.position(); at < limit;) {
        EntryView entry;
        if (!ring.entry_at(at, &entry)) {
            at += kEntryAlignment;
            continue;
        }
        if (step = gap_up_to(at); !step.ok()) return step.error();
        if (step = segment.append(entry.bytes()); !step.ok()) return step.error();
        ++recovered.entries;
        at = segment.position();
    }
    if (step = gap_up_to(ring.copied()); !step.ok()) return step.error();
    recovered.entries += left_open->size();
    if (!left_open->empty()) step = append_left_open(segment, *left_open, end_of(ring), origin.identity.nonce);
    if (!step.ok()) return step.error();
    if (step = segment.write_out(); !step.ok()) return step.error();
    if (step = segment.finish(ring.durable()); !step.ok()) return step.error();
    if (step = note_places(files, slots, *left_open); !step.ok()) return step.error();
    recovered.tail = segment.position();
    recovered.has_segment = segment.exists();
    recovered.segment = segment.exists() ? segment.number() : 0;
    if (step = clear_ring(files, origin, ring, recovered.tail); !step.ok()) return step.error();
    return recovered;
}

base::Result<std::uint64_t> last_checkpoint_position(Files& files, const std::string& origin_directory) {
    constexpr std::uint64_t kTail = 65536;  // many times the size of a checkpoint
    constexpr std::string_view kLine = "\nposition ";
    std::string const path = origin_directory + "/checkpoints";
    OpenFile file;
    int result = open_file(files, path, O_RDONLY, file);
    if (result == ENOENT) return std::uint64_t{0};
    FileFacts facts;
    if (result == 0) result = files.facts(file.get(), &facts);
    std::string text(result == 0 ? std::min(facts.size, kTail) : 0, '\0');
    if (result == 0) result = files.read_at(file.get(), text.data(), text.size(), facts.size - text.size());
    if (result != 0) return file_error("read", path, result);
    for (std::size_t at = text.rfind(kLine); at != std::string::npos && at > 0; at = text.rfind(kLine, at - 1)) {
        std::size_t const begin = at + kLine.size();
        std::size_t const end = text.find('\n', begin);
        if (end == std::string::npos) continue;
        if (auto const position = base::parse_decimal(std::string_view(text).substr(begin, end - begin)))
            return *position;
    }
    return std::uint64_t{0};
}

}  // namespace hoopguard::record
