// Finds entries of one origin: by leaf index, by position, or run by run for whoever filters.
// Uses the sparse index where it is sound and scans where it is missing, short or wrong; entries come out
// only after their checksum and their position have been judged. Works on the segment that is being written.
#pragma once

#include "record/cursor.hpp"
#include "record/index.hpp"
#include "record/segment.hpp"

#include <memory>

namespace hoopguard::record {

// One segment and its runs. A run is what an index record describes: entries in a row.
class SegmentReader {
 public:
    // `open_ended`: no segment follows, so this one may be growing.
    static base::Result<std::unique_ptr<SegmentReader>> open(Directory& directory, std::uint64_t number,
                                                             bool open_ended);

    const SegmentHeader& header() const noexcept { return header_; }
    // All runs in order, up to what was written when this was first called. They cover every entry.
    base::Result<std::span<const IndexRecord>> runs();
    // The entries of a run, by its place in runs(). Valid until the next call.
    base::Result<std::span<const EntryView>> entries(std::size_t run);
    // Where an entry that entries() returned last stands in the file.
    std::uint64_t offset_of(const EntryView& entry) const noexcept {
        return loaded_offset_ + static_cast<std::uint64_t>(entry.bytes().data() - loaded_.data());
    }

 private:
    SegmentReader(std::unique_ptr<ByteSource> source, const SegmentHeader& header)
        : source_(std::move(source)), header_(header), cursor_(*source_, header_) {}

    void load_index(Directory& directory);
    bool pass_last_run();
    base::Status scan_rest();
    bool load(std::uint64_t offset, std::uint64_t end);
    bool is_run(const IndexRecord& run) const noexcept;

    std::unique_ptr<ByteSource> source_;
    SegmentHeader header_;
    SegmentCursor cursor_;
    base::Bytes index_file_;
    base::Bytes index_scanned_;
    std::vector<IndexRecord> runs_;
    bool runs_known_ = false;
    std::uint64_t end_ = 0;  // of the last run, once they are known
    base::Bytes loaded_;
    std::uint64_t loaded_offset_ = 0;
    std::vector<EntryView> entries_;
};

// An entry and where it was found. Valid as SegmentReader::entries() says.
struct Located {
    EntryView entry;
    std::uint64_t index = 0;
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
};

class OriginReader {
 public:
    static base::Result<std::unique_ptr<OriginReader>> open(std::unique_ptr<Directory> directory);

    Directory& directory() noexcept { return *directory_; }
    // Numbers of the segments, ascending and without a break, as of open() or the last refresh().
    const std::vector<std::uint64_t>& segments() const noexcept { return numbers_; }
    // Looks for new and removed segments, and for new entries in the last.
    base::Status refresh();

    // A segment by its place in segments(), for the caller alone.
    base::Result<std::unique_ptr<SegmentReader>> open_segment(std::size_t place);
    // The same, kept here and shared with the lookups below. Stays valid until refresh(), or two other segments
    // have been asked for.
    base::Result<SegmentReader*> segment(std::size_t place);
    // The first segment's header: origin, system, nonce, and where the kept entries begin.
    const SegmentHeader& first_header() const noexcept { return first_header_; }
    // The place of the segment that holds this leaf index, or would.
    base::Result<std::size_t> place_of_index(std::uint64_t index);

    // Errors when there is no such entry, saying which there are.
    base::Result<Located> at_index(std::uint64_t index);
    base::Result<Located> at_position(std::uint64_t position);
    // One more than the leaf index of the last entry.
    base::Result<std::uint64_t> size();

 private:
    struct Start {
        std::uint64_t index;
        std::uint64_t position;
    };
    struct Slot {
        std::size_t place;
        std::unique_ptr<SegmentReader> reader;
    };

    explicit OriginReader(std::unique_ptr<Directory> directory) : directory_(std::move(directory)) {}
    base::Result<Start> start_of(std::size_t place);
    base::Result<std::size_t> place_of(std::uint64_t wanted, std::uint64_t Start::*member);
    base::Result<Located> find(std::size_t place, std::uint64_t wanted,
                               std::uint64_t (IndexRecord::*first)() const, bool by_index);

    std::unique_ptr<Directory> directory_;
    std::vector<std::uint64_t> numbers_;
    std::vector<std::optional<Start>> starts_;
    SegmentHeader first_header_;
    std::vector<Slot> open_;  // most recently used last
};

}  // namespace hoopguard::record
