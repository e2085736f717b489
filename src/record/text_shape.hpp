// Texts of statements that differ in plain numbers alone, taken for one: what an application sends again and
// again, each time with another key in it.
#pragma once

#include <cstddef>
#include <string_view>

namespace hoopguard::record {

// Writes `text` to `shape`, which has room for as much, with every digit of a plain number replaced by '1'. A
// number is plain when it stands by itself as SQL writes one (after a blank, a comma, '=' …; before a blank, a
// comma, ';' …), has no more digits than a key has, begins with no zero, and is in no group with others: no check
// digit, calendar or range is asked about it. So what the searches for secrets and for sensitive values find in
// texts of one shape they find in all of them, unless a word announces numbers. True: some number was replaced.
bool write_shape(std::string_view text, char* shape) noexcept;

// Whether some word says what numbers after it are (born, phone, pin …), so that they must be looked at.
bool announces_numbers(std::string_view text) noexcept;

}  // namespace hoopguard::record
