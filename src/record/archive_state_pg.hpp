// How far journal_archive_command has come, for status() and doctor().
#pragma once

#include <cstdint>

namespace hoopguard::record {

struct ArchiveState {
    std::uint64_t below = 0;     // segments below this number are archived
    std::uint64_t failures = 0;  // of the command, since the server started
    bool failing = false;        // its last attempt failed
};
ArchiveState archive_state() noexcept;

}  // namespace hoopguard::record
