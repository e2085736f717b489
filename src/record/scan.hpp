// Goes through an origin's entries in order and stops at those that a filter wants.
// Runs in which the sparse index shows none of them are not read.
#pragma once

#include "record/reader.hpp"

namespace hoopguard::record {

struct ScanFilter {
    std::optional<std::uint64_t> session;
    std::uint64_t since = 0;           // nanoseconds since 1970-01-01 UTC, inclusive
    std::uint64_t until = UINT64_MAX;  // exclusive
    std::uint64_t first_index = 0;     // entries before it are passed over
};

class Scan {
 public:
    // The reader outlives the scan and is not refreshed meanwhile; lookups in it are allowed.
    Scan(OriginReader& reader, const ScanFilter& filter) : reader_(&reader), filter_(filter) {}

    // kEntry: found() is one that the filter wants. kEnd: no more were there when the reader was refreshed last.
    // kFault: error() says why reading cannot go on.
    Step next();
    // Valid until the next call.
    const Located& found() const noexcept { return found_; }
    const base::Error& error() const noexcept { return error_; }
    // The leaf index after the last entry passed: where a later scan goes on.
    std::uint64_t next_index() const noexcept { return next_index_; }

 private:
    bool wants(const IndexRecord& run) const noexcept;
    bool wants(const EntryView& entry) const noexcept;
    Step begin();
    Step next_run();

    OriginReader* reader_;
    ScanFilter filter_;
    bool begun_ = false;
    std::size_t place_ = 0;
    std::unique_ptr<SegmentReader> segment_;
    std::span<const IndexRecord> runs_;
    std::size_t run_ = 0;
    std::span<const EntryView> entries_;
    std::size_t at_ = 0;
    std::uint64_t next_index_ = 0;
    Located found_;
    base::Error error_;
};

}  // namespace hoopguard::record
