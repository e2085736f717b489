// Entries as text: one JSON object for programs, one line for people.
#pragma once

#include "record/entry.hpp"

#include <string>

namespace hoopguard::record {

// One JSON object without a newline: the header's fields, then the payload's by their names. Byte strings become
// {"hex": "…"}, so that nothing is lost where a text was not UTF-8.
std::string entry_json(const EntryView& entry, std::uint64_t index, std::string_view origin);

// One line without a newline. Nothing in it can command a terminal. A statement's text comes last.
std::string entry_line(const EntryView& entry, std::uint64_t index);

// "1.500 ms", with the unit that fits.
std::string duration_text(std::uint64_t nanoseconds);

// What was sealed in an entry, once opened: its fields as a line for people.
std::string revealed_line(base::ByteView payload);

}  // namespace hoopguard::record
