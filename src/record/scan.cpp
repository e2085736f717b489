// Goes through an origin's entries in order and stops at those that a filter wants.
#include "record/scan.hpp"

#include <cerrno>

namespace hoopguard::record {

bool Scan::wants(const IndexRecord& block) const noexcept {
    return block.first_index() + block.entries() > filter_.first_index && block.max_time() >= filter_.since &&
           block.min_time() < filter_.until && (!filter_.session || block.has_session(*filter_.session));
}

bool Scan::wants(const EntryView& entry) const noexcept {
    return entry.time() >= filter_.since && entry.time() < filter_.until &&
           (!filter_.session || entry.session() == *filter_.session);
}

Step Scan::fault(base::Error error) {
    error_ = std::move(error);
    return Step::kFault;
}

Step Scan::next_segment() {
    if (!begun_) {
        const auto place = reader_->place_of_index(filter_.first_index);
        if (!place) return fault(place.error());
        next_place_ = *place;
        begun_ = true;
    }
    for (; next_place_ < reader_->segments(); ++next_place_) {
        auto opened = reader_->segment(next_place_);
        if (!opened) return fault(opened.error());
        // Retention may remove segments while this goes on.
        if (!*opened) continue;
        segment_ = std::move(*opened);
        place_ = next_place_++;
        position_ = segment_->header().first_position;
        return Step::kEntry;
    }
    return Step::kEnd;
}

// Loads the next block that may hold something wanted.
Step Scan::next_block() {
    while (true) {
        const Block* const block = segment_ ? segment_->block_before(position_ + 1) : nullptr;
        if (block == nullptr || block->end_position <= position_) {
            if (const Step step = next_segment(); step != Step::kEntry) return step;
            continue;
        }
        const std::uint64_t end = block->end_position;
        const std::uint64_t first_index = block->facts.first_index();
        if (!wants(block->facts)) {
            position_ = end;
            next_index_ = first_index + block->facts.entries();
            continue;
        }
        auto loaded = reader_->load(place_, *segment_, *block);
        if (!loaded && loaded.error().number == ESTALE) continue;
        if (!loaded) return fault(loaded.error());
        block_ = std::move(*loaded);
        at_ = 0;
        position_ = end;
        next_index_ = first_index;
        return Step::kEntry;
    }
}

Step Scan::next() {
    while (true) {
        while (block_ && at_ < block_->size()) {
            const EntryView entry = block_->entry(at_++);
            const std::uint64_t index = next_index_++;
            if (index < filter_.first_index || !wants(entry)) continue;
            found_ = {block_, entry, index};
            return Step::kEntry;
        }
        block_.reset();
        if (const Step step = next_block(); step != Step::kEntry) return step;
    }
}

}  // namespace hoopguard::record
