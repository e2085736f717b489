// Goes through an origin's entries in order and stops at those that a filter wants.
// Blocks in which the sparse index shows none of them are not read.
#pragma once

#include "record/cursor.hpp"
#include "record/stream_reader.hpp"

namespace hoopguard::record {

struct ScanFilter {
    std::optional<std::uint64_t> session;
    std::uint64_t since = 0;           // nanoseconds since 1970-01-01 UTC, inclusive
    std::uint64_t until = UINT64_MAX;  // exclusive
    std::uint64_t first_index = 0;     // entries before it are passed over
};

class Scan {
 public:
    // The reader outlives the scan; lookups in it are allowed meanwhile.
    Scan(StreamReader& reader, const ScanFilter& filter) : reader_(&reader), filter_(filter) {}

    // kEntry: found() is one that the filter wants. kEnd: there were no more when the segment at hand was opened.
    // kFault: error() says why reading cannot go on.
    Step next();
    const HeldEntry& found() const noexcept { return found_; }
    const base::Error& error() const noexcept { return error_; }
    // The leaf index after the last entry passed: where a later scan goes on.
    std::uint64_t next_index() const noexcept { return next_index_; }

 private:
    bool wants(const IndexRecord& block) const noexcept;
    bool wants(const EntryView& entry) const noexcept;
    Step fault(base::Error error);
    Step next_segment();
    Step next_block();

    StreamReader* reader_;
    ScanFilter filter_;
    bool begun_ = false;
    std::size_t next_place_ = 0;
    std::shared_ptr<SegmentBlocks> segment_;
    std::size_t place_ = 0;       // of segment_
    std::uint64_t position_ = 0;  // blocks from here on are still to come
    std::shared_ptr<const LoadedBlock> block_;
    std::size_t at_ = 0;  // in block_
    std::uint64_t next_index_ = 0;
    HeldEntry found_;
    base::Error error_;
};

}  // namespace hoopguard::record
