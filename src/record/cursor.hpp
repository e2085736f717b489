// Walks the entries of one segment from any of them on and trusts none of the bytes.
// The segment may be written meanwhile: what looks like the end, or half-written, is read again first.
#pragma once

#include "record/entry.hpp"
#include "record/finding.hpp"
#include "record/segment.hpp"
#include "record/source.hpp"

namespace hoopguard::record {

enum class Step : std::uint8_t { kEntry, kEnd, kFault };

class SegmentCursor {
 public:
    // Stands before the segment's first entry. The source outlives the cursor.
    SegmentCursor(ByteSource& source, const SegmentHeader& header);

    // Stands before the entry at this offset of the file, whose leaf index and position the caller knows.
    void seek(std::uint64_t offset, std::uint64_t index, std::uint64_t position) noexcept;
    // How often a fault is read again, a moment later, before it is believed: for the segment that is being
    // written.
    void set_patience(unsigned times) noexcept { patience_ = times; }

    // kEntry: entry() is sound and stands where its position says. kEnd: there is none (yet); asking again is
    // allowed. kFault: fault() says what is wrong; asking again judges the same place again.
    Step next();

    // Valid until the next call of next() or tail().
    const EntryView& entry() const noexcept { return entry_; }
    std::uint64_t index() const noexcept { return next_index_ - 1; }
    std::uint64_t offset() const noexcept { return offset_; }

    std::uint64_t next_offset() const noexcept { return next_offset_; }
    std::uint64_t next_index() const noexcept { return next_index_; }
    std::uint64_t next_position() const noexcept { return next_position_; }

    // After kEnd: whether nothing but zeros follows. kEnd: nothing at all follows; kEntry: zeros do; kFault:
    // garbage.
    Step tail();
    const Finding& fault() const noexcept { return fault_; }

 private:
    // The bytes from next_offset_ on, as many as are at hand; reads from the file when `fresh`, or fewer than
    // `needed`.
    base::ByteView window(std::size_t needed, bool fresh);
    Step faulty(std::string what);

    ByteSource* source_;
    std::string file_;
    std::uint64_t nonce_;
    base::Bytes buffer_;
    std::uint64_t buffer_offset_ = 0;
    std::size_t buffer_size_ = 0;
    std::size_t read_size_ = 0;  // doubles while reads are filled
    std::string read_error_;
    EntryView entry_;
    std::uint64_t offset_ = 0;
    std::uint64_t next_offset_ = kSegmentHeaderSize;
    std::uint64_t next_index_;
    std::uint64_t next_position_;
    unsigned patience_ = 0;
    Finding fault_;
};

}  // namespace hoopguard::record
