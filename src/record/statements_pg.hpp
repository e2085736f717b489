// The statements of this backend that are running: each has an entry before it runs and an outcome after.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"
#include "identify/session.hpp"
#include "record/redaction.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace hoopguard::record {

struct Begun {
    std::uint64_t number = 0;  // of the statement within its session
    std::uint64_t end =
        0;  // position in the journal after its entry; 0: its loss was permitted, or it is kept back
};

enum class Start { kOwnEntry, kMayWait };

// Records that `statement` is about to run, or is refused. One that may run is open from now on, and entered.
// `masked`: the columns that it reads masked, as "schema.table.column"; `sensitive`: which of its literals and
// parameters are not kept in clear. With kOwnEntry its start has an entry of its own before this returns; without,
// a short read may be kept back until it ends (record/slots.hpp). Throws pg::Refusal when it cannot be recorded,
// pg::Error when a bound value cannot be shown.
Begun begin_statement(const classify::Statement& statement, const identify::Actor& actor,
                      const identify::Session& session, const classify::Footprint& footprint,
                      const decide::Decision& decision, std::span<const std::string_view> masked,
                      const SensitiveParts& sensitive, Start start);

// How many calls of the executor and of utilities are in progress: what to give to the functions below. Frames
// that an error skipped are dropped by whoever leaves next.
std::size_t running_depth() noexcept;
// Whether a statement runs at this moment: then what begins now is nested in it.
bool is_running() noexcept;
// Whether it began in the context of a foreign key's own queries, where a user's triggers may run, too.
bool is_running_for_constraint() noexcept;

// What was decided about it while it ran goes into its outcome.
void decided_late(const decide::Decision& decision) noexcept;

// The number of that statement; 0: none.
std::uint64_t running_statement() noexcept;

// Whether statement `number` has begun and not ended; and whether it runs at this moment, around whatever does.
bool is_open(std::uint64_t number) noexcept;
bool runs(std::uint64_t number) noexcept;

// The executor takes up the statement of `query` again, or puts it down after it processed `rows`.
void enter_query(const QueryDesc* query) noexcept;
void leave_query(const QueryDesc* query, std::size_t depth, std::uint64_t rows) noexcept;
// Goes back to `depth` when a statement has been set up, but nothing of it has run.
void leave(std::size_t depth) noexcept;
void end_query(const QueryDesc* query, std::size_t depth) noexcept;

// The utility that began at `depth` has ended; failed: by the error that is in flight.
void end_utility(std::size_t depth, std::uint64_t rows) noexcept;
void fail_utility(std::size_t depth, int sqlstate) noexcept;

// The fastpath call that runs has ended.
void end_fastpath() noexcept;

}  // namespace hoopguard::record
