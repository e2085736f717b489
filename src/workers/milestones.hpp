// The entries by which the server itself speaks in the journal: a run's opening, its seals and its stop.
#pragma once

#include "record/format.hpp"
#include "record/journal_shared_pg.hpp"

#include <string>

namespace hoopguard::workers {

// Both return when the entry is in a segment, or after ten seconds.
void append_open();
// A seal or a stop: where WAL and transaction ids stand, and the tree before this entry.
void append_milestone(record::EntryType type, const record::Drained& before);

// The rest return whether the entry was accepted.
// Everything before this frontier is about to be removed.
bool append_retention(const record::Frontier& first_kept, const std::string& detail);
bool append_loss(std::uint64_t count);
// What a setting is; `before` where it was something else in this run.
bool append_configuration(const char* setting, const std::string* before, const std::string& value);
bool append_alert(const std::string& detail);

}  // namespace hoopguard::workers
