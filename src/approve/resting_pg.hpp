// Which grants the statements of this backend rest on, and what happens when one of those ends: a running
// statement is cancelled, a cursor yields no further row.
//
// A statement that rests on a grant is noted when it is admitted. While it runs a timer looks at the clock and at
// the grants that ended; whoever takes it up again (a cursor) looks first.
#pragma once

#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "pg/compat.hpp"
#include "policy/image.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

extern "C" {
#include "datatype/timestamp.h"
}

namespace hoopguard::approve {

// The grant of that number, when it is in force.
std::optional<policy::Row> find_grant(const policy::Image& image, std::uint64_t grant) noexcept;

// When a grant ends; DT_NOEND: with its session.
TimestampTz end_of(const policy::Row& grant) noexcept;

// The grants, by their numbers, that `statement` rests on. Throws pg::Refusal when one has ended already.
void rest_on(const classify::Statement& statement, std::span<const std::uint64_t> grants);

// `decision` with the grants that it also rests on: their approval is on record when it has no other. Valid until
// the next call.
const decide::Decision& with_grants(const decide::Decision& decision, std::span<const std::uint64_t> grants);

// Whether any query does, or did: where none does, the functions below have nothing to do.
bool any_rests() noexcept;
// The executor takes a query up again: its grants are watched from now on. Throws pg::Refusal when one has ended.
// `nested`: another statement runs it.
void resume(const QueryDesc* query, bool nested);
// What runs at this moment ends the grant itself: it goes on to its end.
void let_go(std::uint64_t grant) noexcept;
// A query is gone.
void forget(const QueryDesc* query) noexcept;
// The statement that the client sent is over, or its transaction is: nothing is watched any more.
void stop_watching() noexcept;
void forget_all() noexcept;

// The cursor that a client declares WITH HOLD goes on when its query is gone.
void remember_cursor(const char* name);
// Throws pg::Refusal when the cursor rests on a grant that has ended.
void check_cursor(const char* name);

}  // namespace hoopguard::approve
