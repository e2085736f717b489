// The grants that ended lately, in shared memory: what a running statement looks at to learn that it has lost what
// it rests on. The broker alone writes, after the policy without them is in force; reading takes no lock and may
// happen in a signal handler.
#pragma once

#include <cstdint>
#include <span>

namespace hoopguard::approve {

// Shared memory: asking for it before the server starts, and attaching. May throw pg::Error.
void request_ended();
void attach_ended();

// How many grants have ended since the server started.
std::uint64_t ended_count() noexcept;
// Whether `grant` ended after the first `since` of them; also true when so many did that it cannot be told.
bool has_ended(std::uint64_t grant, std::uint64_t since) noexcept;

// The broker's side.
void note_ended(std::span<const std::uint64_t> grants) noexcept;

}  // namespace hoopguard::approve
