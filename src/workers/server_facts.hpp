// What the journal tells about the server at its own milestones: where WAL and transaction ids stand.
#pragma once

#include <cstdint>
#include <string>

namespace hoopguard::workers {

struct ServerFacts {
    std::uint64_t wal_position = 0;
    std::uint64_t next_xid = 0;
    std::uint32_t timeline = 0;
    bool in_recovery = false;
};

// As the control file told when the server started: a start without the library in between shows as a jump.
ServerFacts facts_at_start();
ServerFacts facts_now();
std::string host_name();
std::uint64_t wall_clock() noexcept;  // nanoseconds since 1970-01-01 UTC

}  // namespace hoopguard::workers
