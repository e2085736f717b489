// Reading a segment that may end anywhere, entry after entry up to where the sound part ends.
// Used where a server starts, by the postmaster too: through Files, with no OpenSSL and nothing thrown but
// bad_alloc.
#pragma once

#include "base/result.hpp"
#include "record/entry.hpp"
#include "record/files.hpp"
#include "record/segment.hpp"

namespace hoopguard::record {

// Walks the entries of one open segment from its first one.
class SegmentScan {
 public:
    SegmentScan(Files& files, int descriptor, std::uint64_t file_size, const SegmentHeader& header);

    // Moves to the next entry; false at the end of the sound part: see fault() and error().
    bool next();
    // Valid until the next call of next().
    EntryView entry() const noexcept { return EntryView(entry_); }
    std::uint64_t entry_offset() const noexcept { return entry_offset_; }
    // Where the sound part ends: in the file, in the stream, in the tree.
    std::uint64_t offset() const noexcept { return offset_; }
    std::uint64_t position() const noexcept { return position_; }
    std::uint64_t index() const noexcept { return index_; }
    // kNone when the file ends with its last entry.
    EntryFault fault() const noexcept { return fault_; }
    int error() const noexcept { return error_; }  // errno of a failed read

 private:
    // Makes at least `size` bytes from offset_ available, as far as the file goes.
    bool load(std::size_t size);
    base::ByteView available() const noexcept;

    Files& files_;
    int descriptor_;
    std::uint64_t file_size_;
    std::uint64_t nonce_;
    base::Bytes buffer_;
    std::uint64_t buffer_offset_ = 0;
    std::uint64_t offset_ = kSegmentHeaderSize;
    std::uint64_t position_;
    std::uint64_t index_;
    const std::uint8_t* entry_ = nullptr;
    std::uint64_t entry_offset_ = 0;
    EntryFault fault_ = EntryFault::kNone;
    int error_ = 0;
};

}  // namespace hoopguard::record
