// Judges what single entries claim about the journal itself: seals, gaps, retention, orderly stops.
#pragma once

#include "record/entry.hpp"
#include "record/recent_roots.hpp"
#include "record/segment.hpp"
#include "record/verify.hpp"

namespace hoopguard::record {

class ClaimJudge {
 public:
    // `report` outlives the judge and takes the findings.
    explicit ClaimJudge(OriginReport& report) : report_(&report) {}

    // The tree begins here, or goes on here after entries that could not be hashed.
    void restart(const Frontier& frontier) { recent_.restart(frontier); }
    void begin_segment(const SegmentHeader& header);
    // Whether entries of this type are to be judged.
    static bool is_claim(EntryType type) noexcept;
    // An entry that is, before its leaf is added. `where` is its place.
    void add(const EntryView& entry, const Finding& where);
    void add_leaf(const Hash& leaf, const Frontier& frontier) { recent_.add(leaf, frontier); }

    // Whether the last of so many entries is an orderly stop.
    bool stopped_at(std::uint64_t size) const noexcept { return stop_ && *stop_ + 1 == size; }
    // Entries before this one may have been removed: a retention entry under a checkpoint says so.
    std::uint64_t removed_below() const noexcept;
    // At the end, when the report says what is covered.
    void finish(std::uint64_t first_segment);

 private:
    struct Start {
        std::uint64_t index;
        crypto::Digest frontier;
    };
    struct Retention {
        std::uint64_t entry;
        std::uint64_t first_kept;
    };

    void judge_gap(const EntryView& entry, const Finding& where);
    void judge_seal(const EntryView& entry, const Finding& where);
    void judge_retention(const EntryView& entry, const Finding& where);
    void problem(const Finding& where, std::string what);

    OriginReport* report_;
    RecentRoots recent_;
    std::vector<Start> starts_;  // of the segments
    std::vector<Retention> retentions_;
    std::optional<std::uint64_t> stop_;  // leaf index of the last orderly stop
};

}  // namespace hoopguard::record
