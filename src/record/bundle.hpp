// A part of a journal that proves itself alone: the entries of an actor, a session or a time, each with its path
// to the root that a signed checkpoint states. doc/journal_format.md section 14 defines the lines.
//
// What it cannot prove is that nothing was left out. Within a session the entries' own numbers show it; beyond
// that only the whole journal does, and the bundle says so itself.
#pragma once

#include "record/checkpoint.hpp"
#include "record/stream_reader.hpp"

#include <functional>
#include <map>
#include <string>

namespace hoopguard::record {

struct BundleSelection {
    std::string actor;  // empty: any
    std::optional<std::uint64_t> session;
    std::uint64_t since = 0;           // nanoseconds since 1970-01-01 UTC, inclusive
    std::uint64_t until = UINT64_MAX;  // exclusive
};

// What a bundle proves, and how far.
struct BundleReport {
    std::string origin;
    std::uint64_t entries = 0;
    std::uint64_t tree_size = 0;
    std::uint64_t unsigned_entries = 0;  // that were selected and left out, because no checkpoint covered them yet
    BundleSelection selection;
    std::uint64_t sessions = 0;
    std::uint64_t sessions_with_holes = 0;  // whose numbers show that entries between are not here
};

using LineSink = std::function<void(const std::string&)>;
using EntrySink = std::function<void(const EntryView&, std::uint64_t index)>;

// Writes the bundle of one origin, line by line, without newlines.
base::Status write_bundle(StreamReader& reader, const BundleSelection& selection, const LineSink& out);

// Reads the lines of a bundle, one origin's after the other.
class BundleCheck {
 public:
    // `entry` is given every entry that has been proven.
    BundleCheck(std::vector<VerifierKey> keys, EntrySink entry)
        : keys_(std::move(keys)), entry_(std::move(entry)) {}

    base::Status take(std::string_view line);
    // After the last line.
    base::Status finish();
    const std::vector<BundleReport>& reports() const noexcept { return reports_; }

 private:
    base::Status take_header(std::string_view line);
    base::Status take_entry(std::string_view line);
    base::Status judge(const EntryView& entry, std::uint64_t index);
    base::Status end_origin();

    std::vector<VerifierKey> keys_;
    EntrySink entry_;
    std::vector<BundleReport> reports_;
    Checkpoint checkpoint_;
    std::uint64_t left_ = 0;  // entries to come of this origin
    std::uint64_t next_index_ = 0;
    std::map<std::uint64_t, std::pair<std::uint64_t, bool>>
        numbers_;  // by session: the last number, whether whole
};

// In plain words, for the bundle and for whoever checks it.
std::string bundle_limit();
std::string selection_text(const BundleSelection& selection);

}  // namespace hoopguard::record
