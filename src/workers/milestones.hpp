// The entries by which the server itself speaks in the journal: a run's opening, its seals and its stop.
#pragma once

#include "record/format.hpp"
#include "record/journal_shared_pg.hpp"

namespace hoopguard::workers {

// Both return when the entry is in a segment, or after ten seconds.
void append_open();
// A seal or a stop: where WAL and transaction ids stand, and the tree before this entry.
void append_milestone(record::EntryType type, const record::Drained& before);

}  // namespace hoopguard::workers
