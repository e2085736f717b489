// Counting the rows of this backend's statements against limits: per transaction here, per actor in shared memory.
#pragma once

#include "decide/limit.hpp"
#include "decide/tally.hpp"
#include "identify/actor.hpp"

#include <cstdint>

namespace hoopguard::decide {

enum class Counted : std::uint8_t { kChanged, kRead };

// The name under which rows count against `limit`: those changed and those read apart.
CountKey count_key(const Limit& limit, const identify::Actor& actor, Counted what);

// Counts `rows` more; whether the limit is passed then. Throws pg::Refusal when they cannot be counted.
bool count_rows(const Limit& limit, const CountKey& key, Counted what, std::uint64_t rows);

// What PostgreSQL's transaction callbacks tell. Rows that were changed and rolled back do not count; rows that
// were read have been seen.
void counted_for_good() noexcept;
void counted_in_vain() noexcept;
void subtransaction_counted(std::uint32_t id, std::uint32_t parent) noexcept;
void subtransaction_counted_in_vain(std::uint32_t id) noexcept;

}  // namespace hoopguard::decide
