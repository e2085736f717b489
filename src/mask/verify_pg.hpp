// The gate of the mask stage: no finished plan shows a masked column raw, whatever rewriting did or failed to do,
// and none runs under other masks than it was made for.
#pragma once

#include "classify/statement_pg.hpp"
#include "identify/actor.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace hoopguard::mask {

// What a look at a plan found. The texts are good until the next one.
struct Inspection {
    // The masked columns that the statement reads, as "schema.table.column".
    std::span<const std::string_view> masked;
    std::uint32_t breach_relation = 0;  // OID of the table whose column would show; 0: none
    std::int16_t breach_column = 0;
    bool classified = false;  // the plan reads a classified column
    bool stale = false;       // the plan was made for another actor, policy or set of labels
};

// Looks at the plan of `statement` for `actor`. Nothing for utility statements: what they run comes here itself.
// May throw.
Inspection inspect(const classify::Statement& statement, const identify::Actor& actor);

// Throws pg::Refusal when the inspected plan may not run: 40001 when planning it again will do, XX000 when it
// refers to a column that the actor may not see anywhere but as the argument of a mask.
void verify(const Inspection& inspection);

}  // namespace hoopguard::mask
