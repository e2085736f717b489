// When the server's statements were on record, from the server's own entries: starts, seals, stops, losses.
//
// Each tells where WAL and transaction ids stood. A run that begins where the one before ended followed it
// directly; one that begins further on shows that the server ran without the library in between.
#pragma once

#include "record/entry.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::record {

enum class Coverage : std::uint8_t { kRecorded, kObserve, kDown, kUnrecorded };

// "recorded", "observe", "down", "unrecorded".
std::string_view to_text(Coverage state) noexcept;

// Times in nanoseconds since 1970-01-01 UTC. Neighbours share their bound; a loss stands at one moment.
struct CoveragePeriod {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    Coverage state = Coverage::kRecorded;
    std::string evidence;
};

class CoverageLine {
 public:
    // The size of WAL's segment files, to which a stop may round the position up.
    explicit CoverageLine(std::uint64_t wal_segment_size) noexcept : wal_segment_size_(wal_segment_size) {}

    // Takes the entries of session 0, oldest first, origin after origin; others are passed over.
    void take(const EntryView& entry);
    // Ends the line: `alive` says that the last run still goes on at `now`.
    std::vector<CoveragePeriod> finish(std::uint64_t now, bool alive);

 private:
    // Where the server stood when an entry was written.
    struct Mark {
        std::uint64_t time = 0;
        std::uint64_t wal = 0;
        std::uint64_t xid = 0;
        bool standby = false;
    };
    static Mark mark_of(const EntryView& entry) noexcept;
    void open(const EntryView& entry);
    void begin_within(const EntryView& entry);
    void end_run();
    CoveragePeriod gap(const Mark& next) const;
    bool is_where_it_stopped(std::uint64_t wal) const noexcept;
    void set_mode(const EntryView& entry);

    std::uint64_t wal_segment_size_;
    std::vector<CoveragePeriod> periods_;
    bool running_ = false;
    bool stopped_ = false;  // the run before ended in order
    bool any_ = false;
    Mark last_;
    std::uint64_t since_ = 0;  // begin of the period that goes on
    bool observes_ = false;
};

// The part of the periods that lies in [since, until].
std::vector<CoveragePeriod> clipped(std::vector<CoveragePeriod> periods, std::uint64_t since, std::uint64_t until);

}  // namespace hoopguard::record
