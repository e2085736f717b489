// The sentence goes on while a statement runs: rows are counted, objects fall by CASCADE, functions are met that
// no plan showed. What is decided then is on record with the statement's outcome.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"
#include "pg/compat.hpp"

#include <cstdint>

namespace hoopguard::running {

// `statement` may run: what its guardrails leave to running is noted.
void admitted(const classify::Statement& statement, std::uint64_t number, const identify::Actor& actor,
              const classify::Footprint& footprint, const decide::Decision& decision);

// Whether any statement is: where none is, the next five and settle() have nothing to do.
bool any_watched() noexcept;
// The executor has set up the query whose plan was judged last.
void set_up() noexcept;
// The query has been set up: its rows are counted from now on. May throw pg::Error.
void watch(QueryDesc* query);
// The executor takes it up, and puts it down: its time goes on, and stops. When it has ended, it is forgotten.
void resume(QueryDesc* query);
void pause(QueryDesc* query);
void ended(QueryDesc* query);
// An error that was asked for has been given its words: whose statement it stops is noted.
void note_halt() noexcept;

// It has run: rows that were not counted yet are. These throw pg::Refusal when a limit is passed, or for what the
// statement may not do.
void settle(QueryDesc* query);
// The utility statement that runs has done its work, on `rows` rows.
void settle_utility(std::uint64_t rows);

// Within the statement that runs an object is dropped, a table is truncated, a function made ready to run. While
// none runs, nothing is judged.
void drop(Oid catalog, Oid object, int part);
void truncate(Oid relation);
void execute(Oid function);

}  // namespace hoopguard::running
