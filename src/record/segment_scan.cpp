// A segment's header and the walk along its entries.
#include "record/segment_scan.hpp"

#include "base/crc32c.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hoopguard::record {
namespace {

constexpr std::size_t kReadSize = 1u << 20;

std::uint32_t header_crc(const std::uint8_t* header) noexcept {
    constexpr std::uint8_t kZero[4] = {};
    std::uint32_t const before = base::crc32c_extend(0, {header, kSegmentCrcAt});
    return base::crc32c_extend(base::crc32c_extend(before, {kZero, 4}),
                               {header + kSegmentCrcAt + 4, kSegmentHeaderSize - kSegmentCrcAt - 4});
}

}  // namespace

void encode_segment_start(const SegmentStart& start, std::uint8_t* header) noexcept {
    std::memset(header, 0, kSegmentHeaderSize);
    std::memcpy(header + kSegmentMagicAt, kSegmentMagic, 8);
    base::put_u32(header + kSegmentVersionAt, kSegmentVersion);
    std::copy(start.origin.begin(), start.origin.end(), header + kSegmentOriginAt);
    base::put_u64(header + kSegmentSystemAt, start.system);
    base::put_u64(header + kSegmentNonceAt, start.nonce);
    base::put_u64(header + kSegmentNumberAt, start.number);
    base::put_u64(header + kSegmentFirstPositionAt, start.first_position);
    base::put_u64(header + kSegmentFirstIndexAt, start.first_index);
    base::put_u64(header + kSegmentCreatedAt, start.created);
    base::put_u32(header + kSegmentFrontierCountAt, static_cast<std::uint32_t>(start.frontier.size()));
    std::uint8_t* at = header + kSegmentFrontierAt;
    for (const Hash& hash : start.frontier) at = std::copy(hash.begin(), hash.end(), at);
    base::put_u32(header + kSegmentCrcAt, header_crc(header));
}

base::Result<SegmentStart> decode_segment_start(const std::uint8_t* header) {
    if (std::memcmp(header + kSegmentMagicAt, kSegmentMagic, 8) != 0)
        return base::fail("it does not begin as a segment does");
    if (base::get_u32(header + kSegmentVersionAt) != kSegmentVersion)
        return base::fail("its format version is " + std::to_string(base::get_u32(header + kSegmentVersionAt)) +
                          ", and this library knows version " + std::to_string(kSegmentVersion));
    if (base::get_u32(header + kSegmentCrcAt) != header_crc(header))
        return base::fail("its header's checksum is wrong");
    SegmentStart start;
    std::copy_n(header + kSegmentOriginAt, start.origin.size(), start.origin.begin());
    start.system = base::get_u64(header + kSegmentSystemAt);
    start.nonce = base::get_u64(header + kSegmentNonceAt);
    start.number = base::get_u64(header + kSegmentNumberAt);
    start.first_position = base::get_u64(header + kSegmentFirstPositionAt);
    start.first_index = base::get_u64(header + kSegmentFirstIndexAt);
    start.created = base::get_u64(header + kSegmentCreatedAt);
    std::uint32_t const count = base::get_u32(header + kSegmentFrontierCountAt);
    if (count != static_cast<std::uint32_t>(std::popcount(start.first_index)))
        return base::fail("its header's frontier does not fit its first entry's number");
    start.frontier.resize(count);
    for (std::uint32_t i = 0; i < count; ++i)
        std::memcpy(start.frontier[i].data(), header + kSegmentFrontierAt + i * sizeof(Hash), sizeof(Hash));
    return start;
}

SegmentScan::SegmentScan(Files& files, int descriptor, std::uint64_t file_size, const SegmentStart& start)
    : files_(files),
      descriptor_(descriptor),
      file_size_(file_size),
      nonce_(start.nonce),
      position_(start.first_position),
      index_(start.first_index) {}

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
