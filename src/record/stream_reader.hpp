// One origin's stream for random access: its segments, their blocks, any entry by position or number.
// Keeps a few segments' blocks and a few loaded blocks, so memory is bounded however long the origin is.
// Segments may be removed (retention) and appended to while it is read.
#pragma once

#include "record/segment_blocks.hpp"

#include <list>
#include <map>

namespace hoopguard::record {

// An entry that stays valid while this is held.
struct HeldEntry {
    std::shared_ptr<const LoadedBlock> block;
    EntryView entry;
    std::uint64_t index = 0;  // leaf index
};

class StreamReader {
 public:
    // The origin with that directory name, of the journal's directory. Entries at position `end` and later are
    // not there yet; UINT64_MAX: the stream ends where it ends.
    static base::Result<std::unique_ptr<StreamReader>> open(Directory& journal, const std::string& name,
                                                            std::uint64_t end = UINT64_MAX);
    // The origin in this directory, whatever its name.
    static base::Result<std::unique_ptr<StreamReader>> open(std::unique_ptr<Directory> origin,
                                                            std::uint64_t end = UINT64_MAX);

    Directory& directory() noexcept { return *directory_; }
    // 32 hexadecimal digits, as far as the directory has its proper name.
    const std::string& origin() const noexcept { return origin_; }
    std::uint64_t end() const noexcept { return end_; }
    // Segments by place, oldest first; their numbers need not begin at 0.
    std::size_t segments() const noexcept { return numbers_.size(); }
    std::uint64_t number(std::size_t place) const noexcept { return numbers_[place]; }

    // Null when the segment has been removed in the meantime.
    base::Result<std::shared_ptr<SegmentBlocks>> segment(std::size_t place);
    base::Result<std::shared_ptr<const LoadedBlock>> load(std::size_t place, SegmentBlocks& segment,
                                                          const Block& block);

    // The last segment that begins at or before it; 0 when none does.
    base::Result<std::size_t> place_of_position(std::uint64_t position);
    base::Result<std::size_t> place_of_index(std::uint64_t index);

    // An entry; nothing when there is none (any more) at that position, or of that number.
    base::Result<std::optional<HeldEntry>> at_position(std::uint64_t position);
    base::Result<std::optional<HeldEntry>> at_index(std::uint64_t index);

    std::uint64_t blocks_read() const noexcept { return blocks_read_; }
    std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
    struct Start {
        std::uint64_t position = 0;
        std::uint64_t index = 0;
    };
    struct CachedBlock {
        std::size_t place;
        std::uint64_t begin;
        std::shared_ptr<const LoadedBlock> block;
    };
    StreamReader(std::unique_ptr<Directory> directory, std::string origin, std::uint64_t end)
        : directory_(std::move(directory)), origin_(std::move(origin)), end_(end) {}
    // Nothing when the segment has been removed.
    base::Result<std::optional<Start>> start(std::size_t place);
    template <typename Before>
    base::Result<std::size_t> last_place(Before before);

    std::unique_ptr<Directory> directory_;
    std::string origin_;
    std::uint64_t end_;
    std::vector<std::uint64_t> numbers_;
    std::map<std::size_t, Start> starts_;
    std::list<std::pair<std::size_t, std::shared_ptr<SegmentBlocks>>> segments_;  // most recently used first
    std::list<CachedBlock> blocks_;                                               // likewise
    std::uint64_t blocks_read_ = 0;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace hoopguard::record
