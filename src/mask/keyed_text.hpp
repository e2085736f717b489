// Keyed masks of text: tokens, format-preserving encryption, made-up names. Pure; the same key and value give the
// same mask, so that joins and groups still work.
#pragma once

#include "mask/keys.hpp"
#include "mask/text_kernel.hpp"

namespace hoopguard::mask {

inline constexpr std::size_t kTokenSize = 32;      // of hash, in ASCII characters
inline constexpr std::size_t kPseudonymSize = 24;  // at most

// Each writes to `out`, which has room_for() bytes, and returns the end of what it wrote.

// 32 hexadecimal digits.
char* put_token(const MaskKeys& keys, std::string_view value, char* out) noexcept;

// Digits become digits, letters letters of their case, everything else that is ASCII stays where it is; other
// characters become lower-case letters. Runs of one kind that have a million values or more are encrypted by FF1,
// shorter ones are replaced by what the key makes of the whole value.
char* put_encrypted(const MaskKeys& keys, CharacterStep step, std::string_view value, char* out) noexcept;

// A given name and a family name that nobody has, such as "Rasolu Temarani".
char* put_pseudonym(const MaskKeys& keys, std::string_view value, char* out) noexcept;

// Digits of `text` (which has nothing but ASCII) encrypted in place; the first one stays above 0 if it was.
void encrypt_digits(const MaskKeys& keys, std::span<char> text) noexcept;

}  // namespace hoopguard::mask
