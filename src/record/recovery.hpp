// Recovery: what the ring accepted and no segment has yet goes into the last segment, before anybody appends.
//
// It runs in one process, alone, at shared-memory start-up; dying anywhere within it and starting again gives
// the same result, because the ring is only cleared when everything is durable in the segment. A place that a
// dying process reserved and never published becomes a gap entry; a statement that stands in a slot and nowhere
// else (record/slots.hpp) gets its entry. Nothing is hashed: the sealer does that.
#pragma once

#include "base/result.hpp"
#include "record/files.hpp"
#include "record/origin.hpp"

#include <string>
#include <vector>

namespace hoopguard::record {

struct Recovered {
    std::uint64_t tail = 0;     // where the stream goes on
    std::uint64_t entries = 0;  // copied from the ring and from slots
    std::uint64_t gaps = 0;
    bool has_segment = false;
    std::uint64_t segment = 0;  // number of the last one
    std::vector<std::string> notices;
};

// Fails, with a remedy, when what was durable once is not there any more, and when a file cannot be written.
// `slots` is the path of the slots' file, or empty where there is none; recovery leaves it as it is but for notes
// of its own, and it is to be made anew.
base::Result<Recovered> recover(Files& files, const OpenOrigin& origin, const std::string& slots,
                                std::uint64_t segment_size, std::uint64_t now);

// The position that the last signed checkpoint of the origin covers; 0 when there is none.
base::Result<std::uint64_t> last_checkpoint_position(Files& files, const std::string& origin_directory);

}  // namespace hoopguard::record
