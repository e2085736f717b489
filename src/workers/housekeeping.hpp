// The notary's slow duties beside signing: archiving segments, removing what is no longer to be kept, telling
// losses, watching free space, and recording what hoopguard's settings are and become.
#pragma once

#include "record/journal_shared_pg.hpp"
#include "workers/archivist.hpp"

#include <map>
#include <string>

namespace hoopguard::workers {

class Housekeeping {
 public:
    explicit Housekeeping(record::Shared& journal);

    // Whether something waits that needs a look every few seconds although no entry arrives.
    bool restless() const noexcept;
    // A step of each duty but removal, which needs a checkpoint. Does nothing most of the times it is called.
    void step(std::uint64_t signed_size, std::uint64_t now);

    // When segments are due to be removed: appends the retention entry and returns true. A checkpoint must cover
    // all that is appended by then before remove() is called.
    bool announce_removal(std::uint64_t signed_size, std::uint64_t now);
    void remove();

 private:
    void tell_losses();
    void watch_space();
    // An entry for each of hoopguard's settings that is not as recorded before: at a run's beginning, for all.
    void record_settings();

    record::Shared& journal_;
    record::Files& files_;
    record::SegmentShelf shelf_;
    Archivist archivist_;
    std::uint64_t looked_at_ = 0;
    std::uint64_t space_at_ = 0;
    std::uint64_t announce_at_ = 0;
    std::uint64_t keep_from_ = 0;  // announced: segments before this one go
    bool space_low_ = false;
    bool shelf_failed_ = false;
    std::map<std::string, std::string> settings_;
};

}  // namespace hoopguard::workers
