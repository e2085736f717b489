// Judges everything in an origin's directory against its own rules, its tree and its signed checkpoints.
// Trusts nothing but the keys it is given; reads each file once, from front to back, at hashing speed.
#pragma once

#include "record/checkpoint.hpp"
#include "record/finding.hpp"
#include "record/source.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hoopguard::record {

// A checkpoint that was kept outside the journal.
struct KeptCheckpoint {
    std::string label;  // what findings call it, such as its file's name
    SignedNote note;
};

struct VerifyOptions {
    // Keys that are trusted. None: those in the journal's own key.pub are believed.
    std::vector<VerifierKey> keys;
    // Those of other origins are passed over.
    std::vector<KeptCheckpoint> kept;
    // Asked every few thousand entries; false ends the verification with an error. May be empty.
    std::function<bool()> go_on;
};

struct OriginReport {
    std::string directory;          // name of the origin's directory
    std::string origin;             // "hoopguard/<system identifier>/<origin>"
    std::uint64_t first_index = 0;  // of the oldest entry kept
    std::uint64_t size = 0;         // of the tree: one more than the last entry's leaf index
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;  // of entries
    Hash root{};
    std::uint64_t checkpoints = 0;  // in the file and kept
    std::uint64_t covered = 0;      // entries that the newest good checkpoint covers
    std::uint64_t first_time = 0;   // of the oldest entry kept, nanoseconds since 1970-01-01 UTC
    std::uint64_t last_time = 0;
    bool stopped = false;  // the last entry is an orderly stop
    // What proves that the journal is not what was written, or not whole. At most kMaxFindings of them.
    std::vector<Finding> problems;
    // What somebody should know and proves nothing, as a session's numbers with a hole.
    std::vector<Finding> notes;

    bool ok() const noexcept { return problems.empty(); }
};

inline constexpr std::size_t kMaxFindings = 100;

// An error only when there is nothing to judge: the directory cannot be read or is none of an origin's, or
// go_on() said no. All else is a finding.
base::Result<OriginReport> verify_origin(Directory& directory, const VerifyOptions& options);

}  // namespace hoopguard::record
