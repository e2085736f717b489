// Judging the time between two runs by where WAL and transaction ids stood.
#include "record/coverage.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hoopguard::record {

namespace {

// A stop's own checkpoint begins where WAL ended, after a page's header at most.
constexpr std::uint64_t kPageHeader = 64;

std::string lsn(std::uint64_t wal) {
    char text[32];
    std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(wal >> 32), static_cast<unsigned>(wal));
    return text;
}

std::string stand(std::uint64_t wal, std::uint64_t xid) {
    return "WAL at " + lsn(wal) + ", next transaction " + std::to_string(xid);
}

}  // namespace

std::string_view to_text(Coverage state) noexcept {
    constexpr std::array<std::string_view, 4> kNames = {"recorded", "observe", "down", "unrecorded"};
    return kNames[static_cast<std::size_t>(state)];
}

CoverageLine::Mark CoverageLine::mark_of(const EntryView& entry) noexcept {
    return {.time = entry.time(),
            .wal = entry.uint(Field::kWalPosition).value_or(0),
            .xid = entry.uint(Field::kNextXid).value_or(0),
            .standby = entry.has(kFlagStandby) || entry.boolean(Field::kInRecovery).value_or(false)};
}

void CoverageLine::take(const EntryView& entry) {
    switch (entry.type()) {
        case EntryType::kOpen: open(entry); break;
        case EntryType::kSeal:
            begin_within(entry);
            last_ = mark_of(entry);
            set_mode(entry);
            break;
        case EntryType::kStop:
            begin_within(entry);
            last_ = mark_of(entry);
            end_run();
            stopped_ = true;
            break;
        case EntryType::kConfiguration:
            if (entry.text(Field::kSetting) == "hoopguard.mode") set_mode(entry);
            break;
        case EntryType::kLoss:
            periods_.push_back({entry.time(), entry.time(), Coverage::kUnrecorded,
                                std::to_string(entry.uint(Field::kLostCount).value_or(0)) +
                                    " entries were lost while journal_failure_action was allow"});
            break;
        default: break;
    }
}

void CoverageLine::open(const EntryView& entry) {
    if (running_) {
        end_run();
        stopped_ = false;
    }
    Mark const next = mark_of(entry);
    if (any_) periods_.push_back(gap(next));
    running_ = any_ = true;
    observes_ = false;
    last_ = next;
    since_ = next.time;
    set_mode(entry);
}

// Retention has removed the entry that opened this run.
void CoverageLine::begin_within(const EntryView& entry) {
    if (any_) return;
    running_ = any_ = true;
    since_ = entry.time();
}

void CoverageLine::end_run() {
    if (!running_) return;
    running_ = false;
    Coverage const state = observes_ ? Coverage::kObserve : Coverage::kRecorded;
    periods_.push_back({since_, std::max(since_, last_.time), state, "until " + stand(last_.wal, last_.xid)});
}

void CoverageLine::set_mode(const EntryView& entry) {
    auto mode = entry.text(Field::kMode);
    if (!mode && entry.type() == EntryType::kConfiguration) mode = entry.text(Field::kNewValue);
    if (!mode || observes_ == (*mode == "observe")) return;
    if (entry.time() > since_) {
        Coverage const state = observes_ ? Coverage::kObserve : Coverage::kRecorded;
        periods_.push_back({since_, entry.time(), state, "until hoopguard.mode became " + std::string(*mode)});
        since_ = entry.time();
    }
    observes_ = !observes_;
}

// A stop that archives its last WAL goes on in the next segment file.
bool CoverageLine::is_where_it_stopped(std::uint64_t wal) const noexcept {
    if (wal < last_.wal) return false;
    bool const next_segment = wal / wal_segment_size_ == last_.wal / wal_segment_size_ + 1;
    return wal - last_.wal <= kPageHeader || (next_segment && wal % wal_segment_size_ <= kPageHeader);
}

CoveragePeriod CoverageLine::gap(const Mark& next) const {
    CoveragePeriod period = {last_.time, std::max(last_.time, next.time), Coverage::kDown, {}};
    std::string const moved = stand(last_.wal, last_.xid) + "; then " + stand(next.wal, next.xid);
    if (last_.standby || next.standby) {
        period.evidence = "a standby's WAL is its primary's, and cannot tell; " + moved;
    } else if (stopped_ && next.xid > last_.xid) {
        period.state = Coverage::kUnrecorded;
        period.evidence = "the server ran without the library: " + std::to_string(next.xid - last_.xid) +
                          " transactions; " + moved;
    } else if (stopped_ && next.wal > last_.wal && !is_where_it_stopped(next.wal)) {
        period.state = Coverage::kUnrecorded;
        period.evidence = "the server ran without the library: " + std::to_string(next.wal - last_.wal) +
                          " bytes of WAL; " + moved;
    } else if (stopped_ && next.wal < last_.wal) {
        period.state = Coverage::kUnrecorded;
        period.evidence = "the server went back to an earlier state; " + moved;
    } else if (stopped_) {
        period.evidence = "stopped in order; " + moved;
    } else if (next.wal > last_.wal || next.xid > last_.xid) {
        // The control file tells of a checkpoint later than the journal's last sign.
        period.state = Coverage::kUnrecorded;
        period.evidence =
            "no orderly stop is on record; the server made a WAL checkpoint after the journal's last "
            "sign, in its last moments or without the library; " +
            moved;
    } else {
        period.evidence = "no orderly stop is on record; " + moved;
    }
    return period;
}

std::vector<CoveragePeriod> CoverageLine::finish(std::uint64_t now, bool alive) {
    if (running_) {
        Mark const last = last_;
        if (alive) last_.time = std::max(now, last_.time);
        end_run();
        periods_.back().evidence =
            alive ? "goes on; lately " + stand(last.wal, last.xid) : "the last sign: " + stand(last.wal, last.xid);
    }
    std::stable_sort(periods_.begin(), periods_.end(),
                     [](const CoveragePeriod& a, const CoveragePeriod& b) { return a.from < b.from; });
    return std::move(periods_);
}

std::vector<CoveragePeriod> clipped(std::vector<CoveragePeriod> periods, std::uint64_t since,
                                    std::uint64_t until) {
    std::erase_if(periods, [&](const CoveragePeriod& one) { return one.to < since || one.from > until; });
    for (CoveragePeriod& one : periods) {
        one.from = std::max(one.from, since);
        one.to = std::min(one.to, until);
    }
    return periods;
}

}  // namespace hoopguard::record
