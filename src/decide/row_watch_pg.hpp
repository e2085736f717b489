// Counting the rows of a plannable statement while it runs: its top node gives out what is read, the node below
// each ModifyTable what is changed. Their function for the next row is replaced by one that counts.
#pragma once

#include "decide/limit.hpp"
#include "identify/actor.hpp"
#include "pg/compat.hpp"

#include <vector>

namespace hoopguard::decide {

// Hears of every limit that is passed, once each; throws what is to be raised.
using OnPassed = void (*)(const Limit&);

// Begins to count rows of `query`, which has been set up and has not run. The watch goes with the query's memory.
// May throw pg::Error.
void watch_rows(QueryDesc* query, const std::vector<Limit>& limits, const identify::Actor& actor,
                OnPassed on_passed);

// Counts the rows that `query` has changed since the last count: it stopped before its last row. May throw as
// OnPassed does.
void settle_rows(const QueryDesc* query);

}  // namespace hoopguard::decide
