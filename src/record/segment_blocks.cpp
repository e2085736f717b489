// The blocks of a segment: from its index file, and by walking what the index does not cover.
#include "record/segment_blocks.hpp"

#include <algorithm>
#include <cerrno>

namespace hoopguard::record {

namespace {

constexpr unsigned kPatience = 20;  // looks at an entry that may be half-written
constexpr std::uint64_t kMaxIndexSize = 1u << 30;

// How many records can be relied on to find blocks by: each goes on where the one before ended, and none is the
// last, because where the last one's block ends only the segment itself tells.
std::size_t reliable_records(const std::vector<IndexRecord>& records, const SegmentHeader& header,
                             std::uint64_t limit) {
    std::size_t count = 0;
    for (; count < records.size(); ++count) {
        const IndexRecord& record = records[count];
        bool const goes_on =
            count == 0
                ? record.offset() == kSegmentHeaderSize && record.first_position() == header.first_position &&
                      record.first_index() == header.first_index()
                : record.offset() > records[count - 1].offset() &&
                      record.first_position() > records[count - 1].first_position() &&
                      record.first_index() == records[count - 1].first_index() + records[count - 1].entries();
        if (!goes_on || record.entries() == 0 || record.first_position() >= limit) break;
    }
    return count == 0 ? 0 : count - 1;
}

}  // namespace

std::size_t LoadedBlock::lower_bound(std::uint64_t position) const noexcept {
    auto const found = std::partition_point(offsets.begin(), offsets.end(), [&](std::uint32_t offset) {
        return EntryView(bytes.data() + offset).position() < position;
    });
    return static_cast<std::size_t>(found - offsets.begin());
}

base::Result<std::unique_ptr<SegmentBlocks>> SegmentBlocks::open(Directory& origin, std::uint64_t number,
                                                                 std::uint64_t end) {
    std::string const name = segment_name(number);
    auto source = origin.open(name);
    if (!source) return source.error();
    auto const header = read_header(**source);
    if (!header)
        return base::fail(origin.name() + "/" + name + ": " + header.error().message, header.error().number);
    auto index = read_all(origin, index_name(number), kMaxIndexSize);
    if (!index) index = base::Bytes{};
    if (header->number != number)
        return base::fail(origin.name() + "/" + name + ": the header says segment " +
                          std::to_string(header->number) + ": the file was renamed");
    std::unique_ptr<SegmentBlocks> segment(new SegmentBlocks(std::move(*source), origin.name(), *header));
    segment->limit_ = end;
    if (auto const learned = segment->learn(std::move(*index)); !learned) return learned.error();
    return segment;
}

base::Status SegmentBlocks::learn(base::Bytes index) {
    index_ = std::move(index);
    blocks_.clear();
    auto const contents = read_index(index_, header_.nonce);
    told_ = reliable_records(contents.records, header_, limit_);
    end_offset_ = kSegmentHeaderSize;
    end_position_ = header_.first_position;
    end_index_ = header_.first_index();
    if (contents.records.size() > told_) {
        const IndexRecord& unproven = contents.records[told_];
        if (told_ > 0) {
            end_offset_ = unproven.offset();
            end_position_ = unproven.first_position();
            end_index_ = unproven.first_index();
        }
        index_.resize(static_cast<std::size_t>(unproven.bytes().data() - index_.data()));
    } else {
        index_.clear();
    }
    bool const unindexed = index_.empty();
    if (auto const walked = walk(); !walked) {
        // What the index said of its last block's place may have led astray.
        return unindexed ? walked : learn({});
    }
    for (const IndexRecord& record : read_index(index_, header_.nonce).records) {
        if (!blocks_.empty()) {
            blocks_.back().end = record.offset();
            blocks_.back().end_position = record.first_position();
        }
        blocks_.push_back({record, end_offset_, end_position_});
    }
    return {};
}

base::Status SegmentBlocks::walk() {
    IndexBuilder builder(header_.nonce);
    SegmentCursor cursor(*source_, header_);
    cursor.seek(end_offset_, end_index_, end_position_);
    if (limit_ == UINT64_MAX) cursor.set_patience(kPatience);
    while (cursor.next_position() < limit_) {
        Step const step = cursor.next();
        // Where the stream is known to go on, what is there must be sound; elsewhere it may simply end.
        if (step == Step::kEnd && limit_ == UINT64_MAX) break;
        if (step == Step::kEnd) return fault(cursor.next_offset(), EntryFault::kNoEntry);
        if (step == Step::kFault) return base::fail(directory_ + "/" + cursor.fault().text());
        builder.add(cursor.offset(), cursor.index(), cursor.entry(), index_);
    }
    builder.flush(index_);
    end_offset_ = cursor.next_offset();
    end_position_ = cursor.next_position();
    end_index_ = cursor.next_index();
    return {};
}

const Block* SegmentBlocks::block_before(std::uint64_t position) const noexcept {
    auto const found = std::partition_point(blocks_.begin(), blocks_.end(),
                                            [&](const Block& block) { return block.position() < position; });
    return found == blocks_.begin() ? nullptr : &*std::prev(found);
}

const Block* SegmentBlocks::block_before_index(std::uint64_t index) const noexcept {
    auto const found = std::partition_point(blocks_.begin(), blocks_.end(),
                                            [&](const Block& block) { return block.facts.first_index() < index; });
    return found == blocks_.begin() ? nullptr : &*std::prev(found);
}

base::Result<std::shared_ptr<const LoadedBlock>> SegmentBlocks::load(const Block& block) {
    auto loaded = std::make_shared<LoadedBlock>();
    loaded->first_index = block.facts.first_index();
    loaded->bytes.resize(block.end - block.begin());
    loaded->offsets.reserve(block.facts.entries());
    auto const got = source_->read_at(block.begin(), loaded->bytes);
    if (!got) return got.error();
    base::ByteView left = base::ByteView(loaded->bytes).first(*got);
    std::uint64_t position = block.position();
    EntryFault what = *got < loaded->bytes.size() ? EntryFault::kTruncated : EntryFault::kNone;
    while (!left.empty()) {
        EntryFault const found = check_entry(left, header_.nonce);
        EntryView const entry(left.data());
        if (found != EntryFault::kNone || entry.position() != position) {
            what = found == EntryFault::kNone ? EntryFault::kCrc : found;
            break;
        }
        loaded->offsets.push_back(static_cast<std::uint32_t>(left.data() - loaded->bytes.data()));
        position = entry.next_position();
        left = left.subspan(entry.length());
    }
    bool const as_told = position == block.end_position && loaded->size() == block.facts.entries();
    if (what == EntryFault::kNone && as_told) return std::shared_ptr<const LoadedBlock>(std::move(loaded));
    std::uint64_t const offset = block.begin() + (*got - left.size());
    if (&block >= blocks_.data() + told_)
        return fault(offset, what == EntryFault::kNone ? EntryFault::kTruncated : what);
    // The index may be what is wrong: without it the walk finds the blocks, or names the place when it is not.
    if (auto const learned = learn({}); !learned) return learned.error();
    return base::fail(directory_ + "/" + segment_name(header_.number) + ": its index was wrong", ESTALE);
}

base::Error SegmentBlocks::fault(std::uint64_t offset, EntryFault what) const {
    return base::fail(directory_ + "/" + segment_name(header_.number) + ", offset " + std::to_string(offset) +
                      ": " + describe(what));
}

}  // namespace hoopguard::record
