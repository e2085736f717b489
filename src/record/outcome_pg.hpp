// How statements and transactions ended. Everything here runs while PostgreSQL commits, aborts or exits: it
// allocates nothing, reads no catalog and raises nothing.
#pragma once

#include "record/running_session_pg.hpp"

#include <cstdint>

namespace hoopguard::record {

// The statement has ended, well (sqlstate 0) or with the last error. One that the client sent outside of a
// transaction block is held back until its transaction ends, so that one entry tells both.
void close_statement(OpenStatement* statement, int sqlstate) noexcept;

// The executor put `statement` down at `now`, a reading of the steady clock.
inline void pause_statement(OpenStatement& statement, std::uint64_t now) noexcept {
    statement.busy += now - statement.resumed;
    statement.resumed = now;
    statement.paused = now;
}

// Something was decided about statement `number` while it ran: its outcome will say so, the strictest only.
void note_late(std::uint64_t number, std::uint8_t verdict, bool enforced, std::string_view guardrail) noexcept;

// Writes the outcome that is held back, if there is one, without an end of its transaction: something else
// happens in the same transaction.
void flush_held_outcome() noexcept;

// What PostgreSQL's transaction callbacks tell.
void transaction_committed() noexcept;
void transaction_aborted() noexcept;
void transaction_prepared() noexcept;
void subtransaction_began(std::uint32_t id) noexcept;
void subtransaction_ended(std::uint32_t id) noexcept;
void subtransaction_aborted(std::uint32_t id) noexcept;

// Statement `number`, COMMIT PREPARED or ROLLBACK PREPARED, took effect on the transaction named `name`.
void prepared_transaction_ended(std::uint64_t number, const char* name, bool committed) noexcept;

}  // namespace hoopguard::record
