// The sealer's work without the server: published entries go from the ring into segments, in order.
// It never guesses whether the writer of an unpublished place is dead: it waits there.
#pragma once

#include "record/ring.hpp"
#include "record/segment_writer.hpp"

namespace hoopguard::record {

struct DrainStep {
    std::uint64_t entries = 0;
    int error = 0;         // errno of a write that will be tried again
    bool damaged = false;  // what is published at the present position is no entry: only a restart helps
};

class Drain {
 public:
    // `segment` is told the number of the segment being written, before anything in it counts as copied.
    Drain(Ring& ring, SegmentWriter& writer, std::atomic<std::uint64_t>& segment) noexcept
        : ring_(ring), writer_(writer), segment_(segment) {}

    // Copies what is published before `tail`, some hundred kilobytes at most, and tells the ring.
    DrainStep step(std::uint64_t tail, std::uint64_t now);

 private:
    int settle() noexcept;

    Ring& ring_;
    SegmentWriter& writer_;
    std::atomic<std::uint64_t>& segment_;
};

}  // namespace hoopguard::record
