// Masking text: the innermost loop, pure. What it gives never depends on a hidden character's value, nor its
// length on how many are hidden.
#pragma once

#include "mask/method.hpp"

#include <cstddef>
#include <string_view>

namespace hoopguard::mask {

class MaskKeys;

// How long the character at `at` is, in bytes: at least 1, never beyond `end` (at < end). Bytes that do not begin
// a whole character count as one each.
using CharacterStep = std::size_t (*)(const char* at, const char* end) noexcept;
std::size_t utf8_step(const char* at, const char* end) noexcept;
std::size_t byte_step(const char* at, const char* end) noexcept;

// How many bytes mask_text may write for a value of `size` bytes.
std::size_t room_for(const MaskSpec& spec, std::size_t size) noexcept;

// Writes the masked form of `value` to `out` and returns its length in bytes. The method must be one that fits
// text, and neither null nor detect. Given valid text it writes valid text. Without keys, keyed methods redact.
//   redact    ***
//   partial   the kept ends with **** between; when more than half of the characters would stay, none does
//   email     the first letter of the local part and of the domain, and the last label; *** when it is no address
//   hash, fpe, pseudonym: keyed_text.hpp
std::size_t mask_text(const MaskSpec& spec, const MaskKeys* keys, CharacterStep step, std::string_view value,
                      char* out) noexcept;

// Cuts or pads a text of `length` bytes at `out` to the type's length; there is room for the padding.
std::size_t fit_text(const MaskSpec& spec, CharacterStep step, char* out, std::size_t length) noexcept;

}  // namespace hoopguard::mask
