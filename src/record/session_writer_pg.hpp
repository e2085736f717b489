// Entries on behalf of this process's session: every one carries the next number of the session's own
// sequence, so that a missing one shows.
#pragma once

#include "pg/prelude.hpp"
#include "record/clock.hpp"
#include "record/entry.hpp"
#include "record/journal_pg.hpp"

namespace hoopguard::record {

extern Clock session_clock;

// What an entry of this session says outside its payload. `at` is session_clock.steady()'s.
EntryHead session_head(EntryType type, std::uint64_t at, std::uint16_t flags = 0) noexcept;

// Appends an entry whose head came from session_head(); returns the position after it, 0 when it was lost.
// Throws as append() does.
std::uint64_t put(EntryWriter& entry, Room room);

// The position after the last entry that put() appended; what a transaction waits for.
std::uint64_t last_put() noexcept;

// The part of `text` that is no longer than `size` bytes and ends with a whole UTF-8 character.
std::string_view cut_text(std::string_view text, std::size_t size) noexcept;

}  // namespace hoopguard::record
