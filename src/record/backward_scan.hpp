// The entries of a journal newest first, without reading the blocks that a filter rules out.
// Entries come in stretches: within one, every entry that a wanted session has is given; between two, blocks
// were passed over, and what is known of sessions must be forgotten.
#pragma once

#include "record/stream_reader.hpp"

#include <functional>

namespace hoopguard::record {

// An origin to read, and where its stream ends by now; UINT64_MAX: where it ends.
struct OriginEnd {
    std::string directory;  // its name
    std::uint64_t end = UINT64_MAX;
};

// The origins in a journal's directory, the last begun first.
base::Result<std::vector<OriginEnd>> origins_newest_first(Directory& journal);

// What is wanted; all bounds inclusive. Blocks without any wanted entry are not read; entries that are not
// wanted may come all the same, and the user of the scan judges each.
struct Selection {
    std::optional<std::vector<std::uint64_t>> sessions;  // ascending
    std::uint64_t first_entry = 0;
    std::uint64_t last_entry = UINT64_MAX;
    std::uint64_t since = 0;  // nanoseconds since 1970-01-01 UTC
    std::uint64_t until = UINT64_MAX;

    bool wants_session(std::uint64_t session) const noexcept;
    bool wants(const EntryView& entry, std::uint64_t index) const noexcept;
};

class BackwardScan {
 public:
    // Called between blocks; may throw to end the scan.
    using Breathe = std::function<void()>;
    // `journal` must outlive the scan.
    BackwardScan(Directory& journal, std::vector<OriginEnd> origins, Selection filter, Breathe breathe);

    // Moves to the next older entry; false at the end. After an error the scan is at its end.
    base::Result<bool> next();

    // Of the entry moved to; valid until the next call of next().
    EntryView entry() const noexcept { return block_->entry(place_in_block_); }
    std::uint64_t index() const noexcept { return block_->first_index + place_in_block_; }
    // Whether the entry is the first of a stretch.
    bool begins_stretch() const noexcept { return begins_stretch_; }
    // Where the stretch began, at its newer end; and whether nothing that is wanted of its sessions comes after.
    std::uint64_t stretch_end() const noexcept { return stretch_end_; }
    bool stretch_is_last() const noexcept { return stretch_is_last_; }
    StreamReader& origin() const noexcept { return *origin_; }
    const Selection& filter() const noexcept { return filter_; }

    std::uint64_t blocks_read() const noexcept { return blocks_read_ + (origin_ ? origin_->blocks_read() : 0); }
    std::uint64_t blocks_skipped() const noexcept { return blocks_skipped_; }

 private:
    enum class Choice { kRead, kPass, kSkip };
    base::Result<bool> next_block();
    base::Result<bool> next_segment();
    base::Result<bool> next_origin();
    Choice choose(const Block& block) const noexcept;

    Directory& journal_;
    std::vector<OriginEnd> origins_;
    Selection filter_;
    Breathe breathe_;

    std::size_t next_origin_ = 0;
    std::unique_ptr<StreamReader> origin_;
    std::size_t next_segment_ = 0;  // places below this one are still to come
    std::size_t segment_place_ = 0;
    std::shared_ptr<SegmentBlocks> segment_;
    std::uint64_t next_position_ = 0;  // entries before this one are still to come
    std::shared_ptr<const LoadedBlock> block_;
    std::size_t place_in_block_ = 0;

    bool skipped_ = false;  // blocks were passed over since the last entry
    bool begins_stretch_ = true;
    bool stretch_is_last_ = true;
    std::uint64_t stretch_end_ = 0;
    std::uint64_t blocks_read_ = 0;
    std::uint64_t blocks_skipped_ = 0;
};

}  // namespace hoopguard::record
