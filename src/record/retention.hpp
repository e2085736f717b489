// What an origin's directory holds of sealed segments, which of them need archiving, and which are no longer to be
// kept. Decides only: the notary writes the retention entry and signs it before anything goes.
#pragma once

#include "record/files.hpp"
#include "record/segment.hpp"

#include <map>

namespace hoopguard::record {

struct KeptSegment {
    std::uint64_t number = 0;
    std::uint64_t size = 0;  // bytes on disk
    SegmentHeader header;
};

// For how long and how much is kept; zeros mean for ever and everything. Where both are given, the time is the
// promise: nothing younger is removed, however much there is, so that a flood of statements drives nothing out.
struct KeepRule {
    std::uint64_t at_least = 0;                 // nanoseconds
    std::uint64_t at_most = 0;                  // bytes
    std::uint64_t archived_below = UINT64_MAX;  // segments from this number on are not archived yet
    std::uint64_t signed_size = 0;              // entries that a checkpoint covers
    std::uint64_t now = 0;                      // nanoseconds since 1970-01-01 UTC
};

// Knows an origin's segments; headers are read once.
class SegmentShelf {
 public:
    explicit SegmentShelf(Files& files) noexcept : files_(files) {}

    // Looks into the directory. The segment numbered `writing` is not sealed yet.
    base::Status look(const std::string& origin_directory, std::uint64_t writing);
    // All that are there, by number, the one being written too.
    const std::map<std::uint64_t, KeptSegment>& segments() const noexcept { return segments_; }
    std::uint64_t bytes() const noexcept;
    // The segment that shall be the first one kept; the present first when nothing may be removed.
    const KeptSegment* first_to_keep(const KeepRule& rule) const noexcept;
    // Removes those before `number`, the oldest first. What cannot be removed stays for the next time.
    base::Status remove_before(std::uint64_t number);

 private:
    Files& files_;
    std::string directory_;
    std::map<std::uint64_t, KeptSegment> segments_;
};

// The file that says which segments have been archived: all below this number. 0 where there is none.
base::Result<std::uint64_t> read_archived(Files& files, const std::string& origin_directory);
base::Status write_archived(Files& files, const std::string& origin_directory, std::uint64_t below);

// journal_archive_command with %p (the segment's path), %f (its name), %o (its origin's directory name) and %% put
// in.
std::string archive_command_for(const std::string& command, const std::string& origin_directory,
                                std::uint64_t number);

}  // namespace hoopguard::record
