// Copying a ring's leftovers into the last segment.
#include "record/recovery.hpp"

#include "base/text.hpp"
#include "record/entry.hpp"
#include "record/last_segment.hpp"
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

// The data of a part of the ring, once and with its beginning repeated behind its end, so that entries are whole.
class PartImage {
 public:
    // 0 or errno.
    int load(Files& files, int ring, std::uint64_t offset, std::uint64_t size) {
        offset_ = offset;
        size_ = size;
        mirror_ = std::min<std::uint64_t>(size_, kMaxEntrySize + kCommitWordSize);
        bytes_.reset(new std::uint8_t[size_ + mirror_]);
        int const result = files.read_at(ring, bytes_.get(), size_, offset);
        if (result == 0) std::memcpy(bytes_.get() + size_, bytes_.get(), mirror_);
        return result;
    }

    // The entry published at `position`, if there is a sound one.
    bool entry_at(std::uint64_t position, std::uint64_t nonce, EntryView* found) const noexcept {
        if (size_ == 0) return false;
        std::uint64_t const offset = position % size_;
        const std::uint8_t* const word = bytes_.get() + offset;
        if (base::get_u64(word) != (position | 1)) return false;
        std::uint64_t const room = std::min(size_ + mirror_ - offset, size_) - kCommitWordSize;
        if (check_entry({word + kCommitWordSize, room}, nonce) != EntryFault::kNone) return false;
        *found = EntryView(word + kCommitWordSize);
        return found->position() == position;
    }

    // 0 or errno.
    int clear(Files& files, int ring) const {
        base::Bytes const zeros(kRingDataAt);
        int result = 0;
        for (std::uint64_t at = 0; at < size_ && result == 0; at += zeros.size()) {
            if (!all_zero(bytes_.get() + at, zeros.size()))
                result = files.write_at(ring, zeros.data(), zeros.size(), offset_ + at);
        }
        return result;
    }

 private:
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint64_t offset_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t mirror_ = 0;
};

class RingImage {
 public:
    Status load(Files& files, const OpenOrigin& origin) {
        auto const& identity = origin.identity;
        size_ = identity.size;
        int result = far_.load(files, origin.ring.get(), kRingDataAt, size_);
        if (result == 0) result = near_.load(files, origin.ring.get(), identity.near_at(), identity.near);
        std::uint8_t live[16];
        if (result == 0) result = files.read_at(origin.ring.get(), live, 8, kRingCopiedAt);
        if (result == 0) result = files.read_at(origin.ring.get(), live + 8, 8, kRingDurableAt);
        if (result != 0)
            return fail(std::string("cannot read the journal's ring file: ") + std::strerror(result), result);
        copied_ = base::get_u64(live);
        durable_ = base::get_u64(live + 8);
        nonce_ = origin.identity.nonce;
        return {};
    }

    std::uint64_t size() const noexcept { return size_; }
    std::uint64_t copied() const noexcept { return copied_; }
    std::uint64_t durable() const noexcept { return durable_; }

    // The entry published at `position`, if there is a sound one.
    bool entry_at(std::uint64_t position, EntryView* found) const noexcept {
        return near_.entry_at(position, nonce_, found) || far_.entry_at(position, nonce_, found);
    }

    // 0 or errno.
    int clear(Files& files, int ring) const {
        int const result = near_.clear(files, ring);
        return result == 0 ? far_.clear(files, ring) : result;
    }

 private:
    PartImage near_;
    PartImage far_;
    std::uint64_t size_ = 0;
    std::uint64_t copied_ = 0;
    std::uint64_t durable_ = 0;
    std::uint64_t nonce_ = 0;
};

// First the positions, durably, then the data: a crash in between leaves entries that count as copied.
Status clear_ring(Files& files, const OpenOrigin& origin, const RingImage& image, std::uint64_t tail) {
    std::uint8_t number[8];
    base::put_u64(number, tail);
    int result = files.write_at(origin.ring.get(), number, 8, kRingCopiedAt);
    if (result == 0) result = files.write_at(origin.ring.get(), number, 8, kRingDurableAt);
    if (result == 0) result = files.sync_data(origin.ring.get());
    if (result == 0) result = image.clear(files, origin.ring.get());
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
