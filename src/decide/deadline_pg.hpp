// max_duration: the time that a statement may take, while the server works on it. A timer of its own stops what
// takes longer, whatever statement_timeout says; it goes on asking until the statement has ended, so that no
// handler in PL/pgSQL outlasts it.
#pragma once

#include "decide/limit.hpp"
#include "pg/compat.hpp"

#include <cstdint>
#include <vector>

namespace hoopguard::decide {

// Hears of a statement that took too long where that is not refused.
using OnLate = void (*)(std::uint64_t statement, const Limit& limit);

// The time of statement `number` begins, for each limit that has one. `query` is null for a utility.
void begin_time(std::uint64_t number, const QueryDesc* query, const std::vector<Limit>& limits, OnLate on_late);
// The executor puts the query down, or takes it up again.
void pause_time(const QueryDesc* query);
void resume_time(const QueryDesc* query);
// The statement has ended.
void end_time(const QueryDesc* query);
void end_time(std::uint64_t number);
// No statement runs any more. Raises nothing, as what follows.
void forget_times() noexcept;
// What began in the subtransaction, or inside of it, has ended.
void forget_times(std::uint32_t subtransaction) noexcept;

// A cancel has been given its words (pg/halt.hpp): the statement whose time is over, 0 when it was something else.
struct Overdue {
    std::uint64_t statement = 0;
    const Limit* limit = nullptr;
};
Overdue overdue() noexcept;

}  // namespace hoopguard::decide
