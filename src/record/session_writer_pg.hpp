// Entries on behalf of this process's session: every one carries the next number of the session's own
// sequence, so that a missing one shows.
#pragma once

#include "pg/prelude.hpp"
#include "record/clock.hpp"
#include "record/entry.hpp"
#include "record/journal_pg.hpp"

namespace hoopguard::record {

class Slot;

extern Clock session_clock;

// What an entry of this session says outside its payload. `at` is session_clock.steady()'s. What this session
// keeps back is put on record first.
EntryHead session_head(EntryType type, std::uint64_t at, std::uint16_t flags = 0) noexcept;

// Where a statement may be written that is kept back until it ends (record/slots.hpp); null: it must be put(). Its
// head came from session_head().
Slot* slot_for_statement() noexcept;
// Keeps `entry`, which was written into the slot, back; the outcome's fields belong behind `front` bytes of its
// payload. False when that cannot be: it must be written anew, and put().
bool keep_back(Slot& slot, EntryWriter& entry, std::uint32_t front, std::uint64_t statement,
               std::uint64_t now) noexcept;
// Puts `statement` on record with its outcome when it is kept back. False: its outcome is an entry of its own.
bool put_whole(std::uint64_t statement, base::ByteView fields, unsigned count) noexcept;

// Appends an entry whose head came from session_head(); returns the position after it, 0 when it was lost.
// Throws as append() does.
std::uint64_t put(EntryWriter& entry, Room room);

// The position after the last entry that put() appended; what a transaction waits for.
std::uint64_t last_put() noexcept;

// The part of `text` that is no longer than `size` bytes and ends with a whole UTF-8 character.
std::string_view cut_text(std::string_view text, std::size_t size) noexcept;

}  // namespace hoopguard::record
