// The statements of this backend that are running: each has an entry before it runs and an outcome after.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"

#include <cstdint>

namespace hoopguard::record {

// Records that `statement` is about to run, or is refused; returns its number within the session, 0 when it
// was refused. Throws pg::Refusal when it cannot be recorded.
std::uint64_t begin_statement(const classify::Statement& statement, const identify::Actor& actor,
                              const classify::Footprint& footprint, const decide::Decision& decision);

// Records the outcome of statement `number`: the rows it processed, or the error (sqlstate 0: none).
void end_statement(std::uint64_t number, std::uint64_t rows, int sqlstate) noexcept;

// The open statement that `query` belongs to; 0 when there is none.
std::uint64_t find_statement(const QueryDesc* query) noexcept;

}  // namespace hoopguard::record
