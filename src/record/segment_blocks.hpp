// One segment as a row of blocks of about 64 KiB: which sessions, times and entries stand where, so that most of
// a journal need not be read.
// The index file is derived data and may be missing, short or wrong: what it does not cover is found by walking
// the segment. A block once loaded has had every entry's checksum and place judged.
#pragma once

#include "record/cursor.hpp"
#include "record/index.hpp"
#include "record/segment.hpp"

#include <memory>
#include <optional>

namespace hoopguard::record {

// Entries that begin at offsets [begin(), end) of a segment file. Valid as long as its SegmentBlocks is.
struct Block {
    IndexRecord facts;
    std::uint64_t end = 0;
    std::uint64_t end_position = 0;  // where the stream goes on
    std::uint64_t begin() const noexcept { return facts.offset(); }
    std::uint64_t position() const noexcept { return facts.first_position(); }
};

// A block's bytes with the places of its entries.
struct LoadedBlock {
    base::Bytes bytes;
    std::vector<std::uint32_t> offsets;  // of each entry within bytes
    std::uint64_t first_index = 0;
    std::size_t size() const noexcept { return offsets.size(); }
    EntryView entry(std::size_t i) const noexcept { return EntryView(bytes.data() + offsets[i]); }
    // The place of the first entry at or after a position of the stream.
    std::size_t lower_bound(std::uint64_t position) const noexcept;
};

class SegmentBlocks {
 public:
    // Opens a segment and learns its blocks. Entries at position `end` and later are not there yet. Errors name
    // the file, and the offset where there is one; number is ENOENT when the segment has been removed.
    static base::Result<std::unique_ptr<SegmentBlocks>> open(Directory& origin, std::uint64_t number,
                                                             std::uint64_t end);

    const SegmentHeader& header() const noexcept { return header_; }
    const std::vector<Block>& blocks() const noexcept { return blocks_; }
    // Where the entries end: in the file, in the stream, in the tree.
    std::uint64_t end_offset() const noexcept { return end_offset_; }
    std::uint64_t end_position() const noexcept { return end_position_; }
    std::uint64_t end_index() const noexcept { return end_index_; }

    // The last block that begins before a position, or a leaf index; nothing when there is none.
    const Block* block_before(std::uint64_t position) const noexcept;
    const Block* block_before_index(std::uint64_t index) const noexcept;
    // Reads a block. An error with number ESTALE: the index was wrong, the blocks have been found anew and the
    // block must be looked for again.
    base::Result<std::shared_ptr<const LoadedBlock>> load(const Block& block);

 private:
    SegmentBlocks(std::unique_ptr<ByteSource> source, std::string directory, const SegmentHeader& header)
        : source_(std::move(source)), directory_(std::move(directory)), header_(header) {}
    // Learns the blocks from an index file's bytes, as far as they are sound.
    base::Status learn(base::Bytes index);
    // Goes on from end_offset_ and adds records to index_.
    base::Status walk();
    base::Error fault(std::uint64_t offset, EntryFault what) const;

    std::unique_ptr<ByteSource> source_;
    std::string directory_;  // its name
    SegmentHeader header_;
    std::uint64_t limit_ = 0;  // positions from here on are not there yet
    base::Bytes index_;        // what the blocks refer to
    std::vector<Block> blocks_;
    std::size_t told_ = 0;  // blocks that the index file told, unproven until loaded
    std::uint64_t end_offset_ = kSegmentHeaderSize;
    std::uint64_t end_position_ = 0;
    std::uint64_t end_index_ = 0;
};

}  // namespace hoopguard::record
