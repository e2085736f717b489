// The masked form of a value: what is sensitive in it replaced by what it is, "[email]", the rest as it was.
// For code that PostgreSQL runs: nothing throws, and what is allocated belongs to the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hoopguard::detect {

// How a value is read. JSON stays JSON of the same structure: in strings, keys too, parts are replaced; a
// sensitive number becomes 0; a value whose key says what it is ("password", "first_name") goes whole. Anything
// that is no JSON is masked as text.
enum class Content : std::uint8_t { kText, kJson };

inline constexpr std::size_t kCannot = SIZE_MAX;

// Makes the masked form and says how many bytes it has; kCannot: there was no memory, or `ended` (asked now and
// then, may be null) said to give up: hide the whole value. It is kept until the next call in this process.
std::size_t measure_masked(std::string_view text, Content content, bool (*ended)() noexcept = nullptr) noexcept;

// Whether anything was sensitive; when nothing was, the masked form is the text.
bool anything_found() noexcept;

// Writes that masked form of the same text: exactly as many bytes as were measured. Once.
void write_masked(std::string_view text, char* out) noexcept;

}  // namespace hoopguard::detect
