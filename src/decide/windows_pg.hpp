// The counts that outlive transactions and sessions: a table of windows in shared memory, by guardrail and actor.
// Windows whose rows are all too old are reused; a restart of the server begins anew.
#pragma once

#include "decide/tally.hpp"

#include <cstdint>
#include <optional>

namespace hoopguard::decide {

// Shared memory: asking for it before the server starts, and attaching. May throw pg::Error.
void request_shared();
void attach_shared();

// Counts `rows` and gives how many counted within the last `length` microseconds, these included. Nothing when too
// many actors are counted for at once: then nothing was counted.
std::optional<std::uint64_t> count_within(const CountKey& key, std::int64_t length, std::uint64_t rows);
// What was counted did not happen after all. Raises nothing.
void take_back(const CountKey& key, std::uint64_t rows) noexcept;

}  // namespace hoopguard::decide
