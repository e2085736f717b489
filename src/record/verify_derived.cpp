// Judges the sparse indexes and the tiles while the entries pass.
#include "record/verify_derived.hpp"

#include "record/segment.hpp"

#include <algorithm>
#include <bit>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kMaxDerivedFile = 4ull << 30;

bool is_zero(const Hash& hash) noexcept {
    return std::all_of(hash.begin(), hash.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

void IndexJudge::find(std::uint64_t offset, std::string what) {
    wrong_ = true;
    if (findings_->size() < kMaxFindings) findings_->push_back({file_, offset, std::nullopt, std::move(what)});
}

void IndexJudge::begin(Directory& directory, std::uint64_t segment, std::uint64_t nonce) {
    file_ = index_name(segment);
    nonce_ = nonce;
    record_ = 0;
    record_offset_ = 0;
    beyond_ = 0;
    wrong_ = false;
    any_ = false;
    run_.clear();
    bytes_.clear();
    auto bytes = read_all(directory, file_, kMaxDerivedFile);
    if (!bytes)
        find(0, bytes.error().message);
    else
        bytes_ = std::move(*bytes);
    contents_ = read_index(bytes_, nonce);
    if (contents_.fault.empty()) return;
    if (!contents_.cut) find(contents_.sound, contents_.fault);
}

void IndexJudge::add(std::uint64_t offset, std::uint64_t index, const EntryView& entry) {
    if (!any_) first_index_ = index;
    any_ = true;
    if (wrong_) return;
    if (record_ == contents_.records.size()) {
        ++beyond_;
        return;
    }
    const IndexRecord& record = contents_.records[record_];
    run_.add(offset, index, entry);
    if (run_.entries() < record.entries()) return;
    expected_.clear();
    run_.encode(nonce_, expected_);
    run_.clear();
    const base::ByteView bytes = record.bytes();
    if (!std::equal(bytes.begin(), bytes.end(), expected_.begin(), expected_.end()))
        find(record_offset_, "the record does not describe the " + std::to_string(record.entries()) +
                                 " entries up to entry " + std::to_string(index));
    record_offset_ += bytes.size();
    ++record_;
}

void IndexJudge::end(bool whole) {
    if (contents_.cut)
        incomplete_.push_back({first_index_, {file_, contents_.sound, std::nullopt, contents_.fault}});
    if (wrong_ || !whole) return;
    if (record_ < contents_.records.size())
        find(record_offset_, "the record describes more entries than the segment has");
    else if (beyond_ > 0 && contents_.fault.empty())
        incomplete_.push_back(
            {first_index_,
             {file_, contents_.sound, std::nullopt,
              "the index ends " + std::to_string(beyond_) + " entries before the segment does"}});
}

void IndexJudge::demand_complete(std::uint64_t from_entry) {
    for (Incomplete& one : incomplete_)
        if (one.first_index >= from_entry && findings_->size() < kMaxFindings)
            findings_->push_back(std::move(one.finding));
}

void TileJudge::find(std::uint64_t number, std::string what) {
    if (findings_->size() < kMaxFindings)
        findings_->push_back({kTilesName, number * sizeof(Hash), std::nullopt, std::move(what)});
}

std::optional<Hash> TileJudge::tile(std::uint64_t number) const {
    if ((number + 1) * sizeof(Hash) > bytes_.size()) return std::nullopt;
    Hash hash;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(number * sizeof(Hash)), sizeof(Hash), hash.begin());
    return hash;
}

void TileJudge::load(Directory& directory, const Frontier& first) {
    auto bytes = read_all(directory, kTilesName, kMaxDerivedFile);
    if (!bytes) return find(0, bytes.error().message);
    bytes_ = std::move(*bytes);
    if (bytes_.size() % sizeof(Hash) != 0)
        incomplete_.push_back({kTilesName, bytes_.size() / sizeof(Hash) * sizeof(Hash), std::nullopt,
                               "the file ends within a hash"});
    judge_removed(first);
}

// Tiles of removed entries are bound by the frontier, where it is above them. A hash that was lost is zero.
void TileJudge::judge_removed(const Frontier& first) {
    std::uint64_t start = 0;
    for (const Hash& expected : first.hashes()) {
        const std::uint64_t width = std::bit_floor(first.size() - start);
        if (width < kTileWidth) break;
        Frontier tiles;
        bool known = true;
        for (std::uint64_t number = start / kTileWidth; number < (start + width) / kTileWidth; ++number) {
            const auto hash = tile(number);
            known = known && hash && !is_zero(*hash);
            if (known) tiles.append(*hash);
        }
        if (known && tiles.root() != expected)
            find(start / kTileWidth, "the hashes of removed entries " + std::to_string(start) + " to " +
                                         std::to_string(start + width - 1) +
                                         " do not fit the oldest segment's header");
        start += width;
    }
}

void TileJudge::add(std::uint64_t number, const Hash& expected) {
    const auto found = tile(number);
    if (found && *found != expected)
        find(number, "the hash of entries " + std::to_string(number * kTileWidth) + " to " +
                         std::to_string((number + 1) * kTileWidth - 1) + " is not theirs");
}

void TileJudge::end(std::uint64_t tree_size, bool whole) {
    if (!whole) return;
    const std::uint64_t tiles = tree_size / kTileWidth;
    const std::uint64_t there = bytes_.size() / sizeof(Hash);
    if (there > tiles)
        find(tiles, "there are hashes of " + std::to_string(there) + " subtrees, but only " +
                        std::to_string(tiles) + " are complete");
    else if (there < tiles)
        incomplete_.push_back({kTilesName, there * sizeof(Hash), std::nullopt,
                               "there are hashes of " + std::to_string(there) + " subtrees, but " +
                                   std::to_string(tiles) + " are complete"});
}

void TileJudge::demand_complete() {
    for (Finding& finding : incomplete_)
        if (findings_->size() < kMaxFindings) findings_->push_back(std::move(finding));
}

}  // namespace hoopguard::record
