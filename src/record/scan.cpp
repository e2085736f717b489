// Goes through an origin's entries in order and stops at those that a filter wants.
#include "record/scan.hpp"

namespace hoopguard::record {

bool Scan::wants(const IndexRecord& run) const noexcept {
    return run.first_index() + run.entries() > filter_.first_index && run.max_time() >= filter_.since &&
           run.min_time() < filter_.until && (!filter_.session || run.has_session(*filter_.session));
}

bool Scan::wants(const EntryView& entry) const noexcept {
    return entry.time() >= filter_.since && entry.time() < filter_.until &&
           (!filter_.session || entry.session() == *filter_.session);
}

Step Scan::begin() {
    begun_ = true;
    const auto place = reader_->place_of_index(filter_.first_index);
    if (!place) {
        error_ = place.error();
        return Step::kFault;
    }
    place_ = *place;
    return Step::kEntry;
}

// Loads the next run that may hold something wanted.
Step Scan::next_run() {
    while (true) {
        if (!segment_) {
            if (place_ == reader_->segments().size()) return Step::kEnd;
            auto opened = reader_->open_segment(place_);
            if (!opened) {
                error_ = opened.error();
                return Step::kFault;
            }
            const auto runs = (*opened)->runs();
            if (!runs) {
                error_ = runs.error();
                return Step::kFault;
            }
            segment_ = std::move(*opened);
            runs_ = *runs;
            run_ = 0;
        }
        for (; run_ < runs_.size(); ++run_) {
            next_index_ = runs_[run_].first_index();
            if (!wants(runs_[run_])) {
                next_index_ += runs_[run_].entries();
                continue;
            }
            const auto entries = segment_->entries(run_++);
            if (!entries) {
                error_ = entries.error();
                return Step::kFault;
            }
            entries_ = *entries;
            at_ = 0;
            return Step::kEntry;
        }
        segment_.reset();
        ++place_;
    }
}

Step Scan::next() {
    if (!begun_) {
        if (const Step step = begin(); step != Step::kEntry) return step;
    }
    while (true) {
        for (; at_ < entries_.size(); ++at_) {
            const EntryView& entry = entries_[at_];
            const std::uint64_t index = next_index_++;
            if (index < filter_.first_index || !wants(entry)) continue;
            found_ = {entry, index, segment_->header().number, segment_->offset_of(entry)};
            ++at_;
            return Step::kEntry;
        }
        entries_ = {};
        at_ = 0;
        if (const Step step = next_run(); step != Step::kEntry) return step;
    }
}

}  // namespace hoopguard::record
