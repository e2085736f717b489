// Walks the entries of one segment.
#include "record/cursor.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::size_t kFirstRead = 64u << 10;
constexpr std::size_t kLargestRead = 1u << 20;
constexpr std::size_t kLengthSize = 4;

bool all_zero(base::ByteView bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

SegmentCursor::SegmentCursor(ByteSource& source, const SegmentHeader& header)
    : source_(&source),
      file_(segment_name(header.number)),
      nonce_(header.nonce),
      next_index_(header.first_index()),
      next_position_(header.first_position) {}

void SegmentCursor::seek(std::uint64_t offset, std::uint64_t index, std::uint64_t position) noexcept {
    next_offset_ = offset;
    next_index_ = index;
    next_position_ = position;
    read_size_ = 0;
}

base::ByteView SegmentCursor::window(std::size_t needed, bool fresh) {
    const auto at_hand = [this] {
        if (next_offset_ < buffer_offset_ || next_offset_ > buffer_offset_ + buffer_size_) return base::ByteView{};
        return base::ByteView(buffer_).first(buffer_size_).subspan(next_offset_ - buffer_offset_);
    };
    if (!fresh && at_hand().size() >= needed) return at_hand();
    // More at once while the file gives as much as is asked for.
    const bool filled = read_size_ != 0 && buffer_size_ >= read_size_;
    read_size_ = filled ? std::min(2 * read_size_, kLargestRead) : kFirstRead;
    const std::size_t wanted = std::max(needed, read_size_);
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    const auto got = source_->read_at(next_offset_, std::span<std::uint8_t>(buffer_).first(wanted));
    buffer_offset_ = next_offset_;
    buffer_size_ = got ? *got : 0;
    read_error_ = got ? std::string() : got.error().message;
    return at_hand();
}

Step SegmentCursor::faulty(std::string what) {
    fault_ = {file_, next_offset_, next_index_, std::move(what)};
    return Step::kFault;
}

Step SegmentCursor::next() {
    bool fresh = false;
    unsigned patience = patience_;
    while (true) {
        base::ByteView bytes = window(kLengthSize, fresh);
        if (bytes.size() >= kLengthSize) {
            const std::size_t length = base::get_u32(bytes.data());
            if (length > bytes.size() && length <= kMaxEntrySize) bytes = window(length, fresh);
        }
        if (!read_error_.empty()) return faulty(read_error_);
        const bool ended = bytes.size() < kLengthSize ? all_zero(bytes) : base::get_u32(bytes.data()) == 0;
        const EntryFault fault = ended ? EntryFault::kNoEntry : check_entry(bytes, nonce_);
        if (fault == EntryFault::kNone) {
            entry_ = EntryView(bytes.data());
            break;
        }
        // What is at hand may be older than what the writer has written since.
        if (!fresh) {
            fresh = true;
        } else if (fault == EntryFault::kNoEntry) {
            return Step::kEnd;
        } else if (patience > 0) {
            --patience;
            source_->pause();
        } else {
            return faulty(describe(fault));
        }
    }
    if (entry_.position() != next_position_)
        return faulty("position " + std::to_string(entry_.position()) + " where " +
                      std::to_string(next_position_) + " must follow");
    offset_ = next_offset_;
    next_offset_ += entry_.length();
    next_position_ = entry_.next_position();
    ++next_index_;
    return Step::kEntry;
}

Step SegmentCursor::tail() {
    const std::uint64_t end = next_offset_;
    bool any = false;
    while (true) {
        const base::ByteView bytes = window(1, false);
        if (!read_error_.empty()) return faulty(read_error_);
        if (bytes.empty()) break;
        const auto odd = std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
        next_offset_ += static_cast<std::uint64_t>(odd - bytes.begin());
        if (odd != bytes.end()) {
            const Step step = faulty("bytes that are not zero follow the last entry");
            next_offset_ = end;
            return step;
        }
        any = true;
    }
    next_offset_ = end;
    return any ? Step::kEntry : Step::kEnd;
}

}  // namespace hoopguard::record
