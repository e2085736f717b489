// Grants by which a session was let in: when one of them ends, so does the session.
#pragma once

#include "pg/compat.hpp"

#include <cstdint>
#include <span>

namespace hoopguard::approve {

// The session rests on these grants, by their numbers, from now on. Throws pg::Refusal when one has ended already.
void admit_by(std::span<const std::uint64_t> grants);

// Before a statement runs: throws pg::Refusal (28000), and ends the session, when one of its grants has ended.
void hold_to_admission();

// Ends the session within a second of such a grant, also while it waits for its client. PostgreSQL stops all
// timers when it has caught an error: called again then.
void watch_admission() noexcept;

}  // namespace hoopguard::approve
