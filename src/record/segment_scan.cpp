// The walk along a segment's entries.
#include "record/segment_scan.hpp"

#include <algorithm>

namespace hoopguard::record {
namespace {

constexpr std::size_t kReadSize = 1u << 20;

}  // namespace

SegmentScan::SegmentScan(Files& files, int descriptor, std::uint64_t file_size, const SegmentHeader& header)
    : files_(files),
      descriptor_(descriptor),
      file_size_(file_size),
      nonce_(header.nonce),
      position_(header.first_position),
      index_(header.first_index()) {}

base::ByteView SegmentScan::available() const noexcept {
    std::uint64_t const end = buffer_offset_ + buffer_.size();
    if (offset_ < buffer_offset_ || offset_ >= end) return {};
    return base::ByteView(buffer_).subspan(offset_ - buffer_offset_);
}

bool SegmentScan::load(std::size_t size) {
    if (available().size() >= size || offset_ >= file_size_) return true;
    std::uint64_t const wanted = std::min<std::uint64_t>(std::max(size, kReadSize), file_size_ - offset_);
    if (available().size() == wanted) return true;
    buffer_.resize(wanted);
    buffer_offset_ = offset_;
    error_ = files_.read_at(descriptor_, buffer_.data(), wanted, offset_);
    if (error_ != 0) buffer_.clear();
    return error_ == 0;
}

bool SegmentScan::next() {
    if (fault_ != EntryFault::kNone || error_ != 0 || offset_ >= file_size_) return false;
    if (!load(kEntryHeaderSize)) return false;
    std::size_t const length = available().size() >= 4 ? base::get_u32(available().data()) : 0;
    if (length <= kMaxEntrySize && !load(length)) return false;
    fault_ = check_entry(available(), nonce_);
    if (fault_ != EntryFault::kNone) return false;
    EntryView const found(available().data());
    if (found.position() != position_) {
        fault_ = EntryFault::kCrc;
        return false;
    }
    entry_ = available().data();
    entry_offset_ = offset_;
    offset_ += found.length();
    position_ = found.next_position();
    ++index_;
    return true;
}

}  // namespace hoopguard::record
