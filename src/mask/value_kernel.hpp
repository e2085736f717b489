// Masking numbers, times and fixed bytes: pure. The method must fit the family and be neither clear, redact nor
// null: those need no kernel. Keyed methods need keys.
#pragma once

#include "mask/keys.hpp"
#include "mask/method.hpp"

#include <cstdint>
#include <span>

namespace hoopguard::mask {

// Whole numbers of `bits` (16, 32 or 64). hash and fpe give each number another one; hash keeps the sign, fpe the
// number of digits too. generalize rounds towards minus infinity. The result is of the same width.
std::int64_t mask_integer(const Method& method, const MaskKeys* keys, std::int64_t value, unsigned bits) noexcept;

// hash gives a whole number below 2^52; what is not finite becomes 0.
double mask_real(const Method& method, const MaskKeys* keys, double value) noexcept;

// Days since 2000-01-01 (PostgreSQL's date), and microseconds since then (timestamp). hash gives a time between
// 1930 and 2030; noise moves it by up to that many years.
std::int32_t mask_date(const Method& method, const MaskKeys* keys, std::int32_t days) noexcept;
std::int64_t mask_time(const Method& method, const MaskKeys* keys, std::int64_t microseconds) noexcept;

// hash and fpe, in place.
void mask_bytes(const Method& method, const MaskKeys& keys, std::span<std::uint8_t> bytes) noexcept;
// A UUID that says of itself that its bits have a meaning of their own (version 8).
void mask_uuid(const Method& method, const MaskKeys& keys, std::span<std::uint8_t, 16> uuid) noexcept;

// Sets all bits behind the first `kept` ones to zero.
void keep_bits(std::span<std::uint8_t> bytes, unsigned kept) noexcept;

}  // namespace hoopguard::mask
