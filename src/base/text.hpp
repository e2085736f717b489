// Numbers, bytes and times as text and back; what may be shown on a terminal.
// Parsers are strict: one spelling for each value, no sign, no blank, no leftover.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::base {

// Lower-case hexadecimal (RFC 4648 section 8 in lower case).
std::string to_hex(ByteView bytes);
std::string to_hex(std::uint64_t value, int digits);
std::optional<Bytes> from_hex(std::string_view text);
// 1 to 16 lower-case digits.
std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept;

// RFC 4648 section 4, with padding; unused bits must be zero.
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);
// RFC 4648 section 5 as RFC 7515 uses it: no padding; unused bits must be zero.
std::optional<Bytes> from_base64url(std::string_view text);

// Decimal, no leading zeros.
std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept;

// A session's number (start second << 32 | process id) as hoopguard.session and log_line_prefix's %c show it:
// both parts in hexadecimal, "6553f100.1a2b". Neither part of a text may be 0.
std::string session_text(std::uint64_t session);
std::optional<std::uint64_t> parse_session(std::string_view text) noexcept;

// RFC 3339 in UTC. `digits` of a second's fraction: 0 to 9.
std::string to_rfc3339(std::uint64_t nanoseconds, int digits);
// RFC 3339 with "Z" or an offset, or a date alone (midnight UTC). "T" may be a blank. Years 1970 to 2553.
std::optional<std::uint64_t> parse_rfc3339(std::string_view text) noexcept;

// Whether all bytes are below 0x80. Nearly all recorded text is, and this is much quicker to know.
inline bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t kHighBits = 0x8080808080808080u;
    const std::uint8_t* const bytes = bytes_of(text).data();
    std::uint64_t seen = 0;
    if (text.size() >= 8) {
        for (std::size_t i = 0; i + 8 < text.size(); i += 8) seen |= get_u64(bytes + i);
        seen |= get_u64(bytes + text.size() - 8);
    } else {
        for (std::size_t i = 0; i < text.size(); ++i) seen |= bytes[i];
    }
    return (seen & kHighBits) == 0;
}

// Whether the bytes are UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

// The text with control characters (C0, DEL, C1, bidirectional overrides), backslashes and bytes
// that are not UTF-8 as \n, \t, \\, \xNN or \u{N}, so that recorded text cannot command a terminal.
std::string printable(std::string_view text);

// A JSON string with its quotes (RFC 8259). Bytes that are not UTF-8 become U+FFFD each.
std::string json_quoted(std::string_view text);

}  // namespace hoopguard::base
