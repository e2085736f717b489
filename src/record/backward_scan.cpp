// Newest first through origins, segments, blocks and entries; positions, not places, are remembered between
// blocks, because a wrong index makes a segment's blocks be found anew.
#include "record/backward_scan.hpp"

#include <algorithm>
#include <cerrno>

namespace hoopguard::record {

base::Result<std::vector<OriginEnd>> origins_newest_first(Directory& journal) {
    auto const names = list_origins(journal);
    if (!names) return names.error();
    std::vector<std::pair<std::uint64_t, std::string>> found;
    for (const std::string& name : *names) {
        auto const directory = journal.enter(name);
        if (!directory) return directory.error();
        auto const numbers = list_segments(**directory);
        if (!numbers) return numbers.error();
        if (numbers->empty()) continue;
        auto const source = (*directory)->open(segment_name(numbers->back()));
        if (!source) return source.error();
        auto const header = read_header(**source);
        if (!header) return base::fail(name + "/" + segment_name(numbers->back()) + ": " + header.error().message);
        found.emplace_back(header->created, name);
    }
    std::sort(found.rbegin(), found.rend());
    std::vector<OriginEnd> origins;
    for (auto& [created, name] : found) origins.push_back({std::move(name)});
    return origins;
}

bool Selection::wants_session(std::uint64_t session) const noexcept {
    return !sessions || std::binary_search(sessions->begin(), sessions->end(), session);
}

bool Selection::wants(const EntryView& entry, std::uint64_t index) const noexcept {
    return index >= first_entry && index <= last_entry && entry.time() >= since && entry.time() <= until &&
           wants_session(entry.session());
}

BackwardScan::BackwardScan(Directory& journal, std::vector<OriginEnd> origins, Selection filter, Breathe breathe)
    : journal_(journal), origins_(std::move(origins)), filter_(std::move(filter)), breathe_(std::move(breathe)) {}

base::Result<bool> BackwardScan::next() {
    begins_stretch_ = false;
    if (block_ && place_in_block_ > 0) {
        --place_in_block_;
        return true;
    }
    block_.reset();
    for (;;) {
        auto const more = segment_ ? next_block() : origin_ ? next_segment() : next_origin();
        if (!more) {
            block_.reset();
            segment_.reset();
            next_segment_ = 0;
            next_origin_ = origins_.size();
            return more.error();
        }
        if (block_) return true;
        if (*more) continue;
        if (segment_)
            segment_.reset();
        else if (origin_) {
            blocks_read_ += origin_->blocks_read();
            origin_.reset();
        } else
            return false;
    }
}

base::Result<bool> BackwardScan::next_origin() {
    if (next_origin_ == origins_.size()) return false;
    const OriginEnd& origin = origins_[next_origin_++];
    auto opened = StreamReader::open(journal_, origin.directory, origin.end);
    if (!opened && opened.error().number == ENOENT) return true;
    if (!opened) return opened.error();
    origin_ = std::move(*opened);
    next_segment_ = origin_->segments();
    skipped_ = false;
    begins_stretch_ = true;
    if (filter_.last_entry != UINT64_MAX && next_segment_ > 0) {
        auto const place = origin_->place_of_index(filter_.last_entry);
        if (!place) return place.error();
        skipped_ = *place + 1 < next_segment_;
        next_segment_ = *place + 1;
    }
    stretch_is_last_ = !skipped_;
    return true;
}

base::Result<bool> BackwardScan::next_segment() {
    if (next_segment_ == 0) return false;
    if (breathe_) breathe_();
    segment_place_ = --next_segment_;
    auto segment = origin_->segment(segment_place_);
    if (!segment) return segment.error();
    if (!*segment) return false;  // removed, and with it all before
    segment_ = std::move(*segment);
    next_position_ = segment_->end_position();
    if (segment_->end_index() <= filter_.first_entry && segment_->header().first_index() < filter_.first_entry)
        next_segment_ = 0;
    return true;
}

BackwardScan::Choice BackwardScan::choose(const Block& block) const noexcept {
    const IndexRecord& facts = block.facts;
    if (filter_.sessions) {
        bool const any = std::any_of(filter_.sessions->begin(), filter_.sessions->end(),
                                     [&](std::uint64_t session) { return facts.has_session(session); });
        if (!any) return Choice::kPass;
    }
    bool const wanted = facts.max_time() >= filter_.since && facts.min_time() <= filter_.until &&
                        facts.first_index() + facts.entries() > filter_.first_entry &&
                        facts.first_index() <= filter_.last_entry;
    return wanted ? Choice::kRead : Choice::kSkip;
}

base::Result<bool> BackwardScan::next_block() {
    const Block* const block = segment_->block_before(next_position_);
    if (block == nullptr) return false;
    Choice const choice = choose(*block);
    if (choice != Choice::kRead) {
        if (choice == Choice::kSkip) skipped_ = true;
        ++blocks_skipped_;
        next_position_ = block->position();
        return true;
    }
    if (breathe_) breathe_();
    std::uint64_t const begin = block->position();
    std::uint64_t const end = std::min(next_position_, block->end_position);
    auto loaded = origin_->load(segment_place_, *segment_, *block);
    if (!loaded && loaded.error().number == ESTALE) return true;
    if (!loaded) return loaded.error();
    // After the blocks were found anew this one may hold entries that have been given already.
    std::size_t const count = (*loaded)->lower_bound(end);
    next_position_ = begin;
    if (count == 0) return true;
    block_ = std::move(*loaded);
    place_in_block_ = count - 1;
    if (skipped_ || begins_stretch_) {
        begins_stretch_ = true;
        stretch_is_last_ = !skipped_;
        stretch_end_ = end;
        skipped_ = false;
    }
    return true;
}

}  // namespace hoopguard::record
