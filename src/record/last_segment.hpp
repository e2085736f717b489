// The segment that recovery appends to.
#pragma once

#include "base/bytes.hpp"
#include "record/entry.hpp"
#include "record/files.hpp"
#include "record/origin.hpp"
#include "record/segment.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::record {

// Whether these bytes hold nothing.
bool all_zero(const std::uint8_t* bytes, std::size_t size) noexcept;

class LastSegment {
 public:
    LastSegment(Files& files, const OpenOrigin& origin, std::uint64_t segment_size, std::uint64_t now)
        : files_(files), origin_(origin), segment_size_(segment_size), now_(now) {}

    // Finds the last segment and where its sound part ends; `required` must have been reached.
    base::Status open(std::uint64_t required);
    // Adds to what write_out() writes.
    base::Status append(base::ByteView entry);
    base::Status append_gap(std::uint64_t from, std::uint64_t to);
    base::Status write_out();
    // Clears what a crash may have left behind the last entry, and makes all of it durable, as well as
    // the segments before it that were not.
    base::Status finish(std::uint64_t durable);

    std::uint64_t position() const noexcept { return position_; }
    bool exists() const noexcept { return !numbers_.empty(); }
    std::uint64_t number() const noexcept { return numbers_.back(); }

 private:
    base::Status open_number(std::uint64_t number, std::uint64_t required, bool* unused);
    base::Status create_first();
    base::Status clear_rest();
    int write_again(int file, std::uint64_t from, std::uint64_t to);
    base::Status sync_earlier(std::uint64_t durable);
    base::Error damaged(std::uint64_t number, const std::string& why) const {
        return base::fail(
            "journal segment \"" + segment_path(origin_.directory, number) + "\" " + why + kRemedyMark +
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

}  // namespace hoopguard::record
