// What a pattern cannot say: checksums, ranges, calendars. Each takes the text that a pattern matched.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hoopguard::detect {

inline bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
inline bool is_upper(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
inline char to_lower(char c) noexcept {
    return is_upper(c) ? static_cast<char>(c + 32) : c;
}
inline bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}
inline bool is_word_part(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '_';
}
// Bytes of multibyte characters count as letters.
inline bool is_wide(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0x80) != 0;
}

std::size_t count_digits(std::string_view text) noexcept;

// Digits in groups: how much of `text`, from its beginning, is a payment card's number (ISO/IEC 7812: issuer
// prefix and length, Luhn's check digit). 0: none is. The longest that ends where a group does.
std::size_t card_length(std::string_view text) noexcept;

// Likewise for an IBAN (ISO 13616: length by country, ISO 7064 mod 97-10).
std::size_t iban_length(std::string_view text) noexcept;

// Nine digits in any grouping that the Social Security Administration can have given (POMS RM 10201.035).
bool is_ssn(std::string_view text) noexcept;

// Whether digits with separators can be a telephone number: how many there are, and that they are no date.
bool is_phone(std::string_view text) noexcept;

// A dotted IPv4 address with an optional prefix length; an IPv6 address (RFC 4291) with two groups or more.
bool is_ipv4(std::string_view text) noexcept;
bool is_ipv6(std::string_view text) noexcept;

// A day of the calendar between 1880 and 2100, in any usual order: 1980-12-31, 31.12.1980, 12/31/80.
bool is_date(std::string_view text) noexcept;

// The second line of a machine-readable travel document (ICAO 9303): its check digits agree.
bool is_machine_readable(std::string_view line) noexcept;

}  // namespace hoopguard::detect
