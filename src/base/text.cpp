// Numbers, bytes and times as text and back; what may be shown on a terminal.
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hoopguard::base {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

int base64_value(char digit) noexcept {
    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    if (digit == '+') return 62;
    if (digit == '/') return 63;
    return -1;
}

// Days since 1970-01-01 and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
    year -= month <= 2;
    const std::int64_t era = year / 400;
    const auto year_of_era = static_cast<unsigned>(year - era * 400);
    const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

struct Civil {
    std::int64_t year;
    unsigned month, day;
};

Civil civil_from_days(std::int64_t days) noexcept {
    days += 719468;
    const std::int64_t era = days / 146097;
    const auto day_of_era = static_cast<unsigned>(days - era * 146097);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted_month = (5 * day_of_year + 2) / 153;
    const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2), month,
            day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
    constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return kDays[month - 1] + (month == 2 && leap);
}

void append_padded(std::string& out, std::uint64_t value, int width) {
    char digits[20];
    for (int i = width - 1; i >= 0; --i) {
        digits[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    out.append(digits, static_cast<std::size_t>(width));
}

// Takes `width` digits off the front of the text.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t width) noexcept {
    if (text.size() < width) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + static_cast<unsigned>(text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char expected) noexcept {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

struct Decoded {
    std::size_t size;  // bytes of the character, 0 when they are not UTF-8
    char32_t character;
};

Decoded decode_utf8(const char* at, std::size_t available) noexcept {
    const auto byte = [at](std::size_t i) { return static_cast<std::uint8_t>(at[i]); };
    const auto follows = [&](std::size_t i) { return i < available && (byte(i) & 0xC0) == 0x80; };
    if (byte(0) < 0x80) return {1, byte(0)};
    if (byte(0) >= 0xC2 && byte(0) <= 0xDF && follows(1))
        return {2, static_cast<char32_t>((byte(0) & 0x1F) << 6 | (byte(1) & 0x3F))};
    if ((byte(0) & 0xF0) == 0xE0 && follows(1) && follows(2)) {
        const auto character =
            static_cast<char32_t>((byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F));
        if (character >= 0x800 && (character < 0xD800 || character > 0xDFFF)) return {3, character};
    }
    if (byte(0) >= 0xF0 && byte(0) <= 0xF4 && follows(1) && follows(2) && follows(3)) {
        const auto character = static_cast<char32_t>((byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 |
                                                     (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F));
        if (character >= 0x10000 && character <= 0x10FFFF) return {4, character};
    }
    return {0, 0};
}

// Characters that move the cursor, change its state or turn the direction of what follows.
bool commands_terminal(char32_t character) noexcept {
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0x200E && character <= 0x200F) || (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0x061C || character == 0xFEFF;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        out += kHexDigits[byte >> 4];
        out += kHexDigits[byte & 15];
    }
    return out;
}

std::string to_hex(std::uint64_t value, int digits) {
    std::string out(static_cast<std::size_t>(digits), '0');
    for (auto digit = out.rbegin(); digit != out.rend(); ++digit, value >>= 4) *digit = kHexDigits[value & 15];
    return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return out;
}

std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept {
    if (text.empty() || text.size() > 16) return std::nullopt;
    std::uint64_t value = 0;
    for (const char digit : text) {
        if (hex_value(digit) < 0) return std::nullopt;
        value = value << 4 | static_cast<std::uint64_t>(hex_value(digit));
    }
    return value;
}

std::string to_base64(ByteView bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kBase64Digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const int value = k < 4 - padding ? base64_value(text[i + k]) : 0;
            if (value < 0) return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        if ((group & ((1u << (8 * padding)) - 1)) != 0) return std::nullopt;
        for (std::size_t k = 0; k < 3 - padding; ++k)
            out.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * k)));
    }
    return out;
}

std::optional<Bytes> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t held = 0;
    int bits = 0;
    for (const char digit : text) {
        if (digit == '+' || digit == '/') return std::nullopt;
        const int value = base64_value(digit == '-' ? '+' : digit == '_' ? '/' : digit);
        if (value < 0) return std::nullopt;
        held = held << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<std::uint8_t>(held >> bits));
        held &= (1u << bits) - 1;
    }
    if (held != 0) return std::nullopt;
    return out;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::uint64_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
            __builtin_add_overflow(value, static_cast<std::uint64_t>(digit - '0'), &value))
            return std::nullopt;
    }
    return value;
}

std::string session_text(std::uint64_t session) {
    char text[24];
    std::snprintf(text, sizeof text, "%x.%x", static_cast<unsigned>(session >> 32),
                  static_cast<unsigned>(session));
    return text;
}

std::optional<std::uint64_t> parse_session(std::string_view text) noexcept {
    std::size_t const dot = text.find('.');
    // Without a dot, it is npos.
    if (dot > 8 || text.size() - dot - 1 > 8) return std::nullopt;
    auto const second = parse_hex(text.substr(0, dot));
    auto const process = parse_hex(text.substr(dot + 1));
    if (!second || !process || text.front() == '0' || text[dot + 1] == '0') return std::nullopt;
    return *second << 32 | *process;
}

std::string to_rfc3339(std::uint64_t nanoseconds, int digits) {
    const std::uint64_t seconds = nanoseconds / kNanosecondsPerSecond;
    const Civil date = civil_from_days(static_cast<std::int64_t>(seconds / 86400));
    const std::uint64_t second_of_day = seconds % 86400;
    std::string out;
    append_padded(out, static_cast<std::uint64_t>(date.year), 4);
    out += '-';
    append_padded(out, date.month, 2);
    out += '-';
    append_padded(out, date.day, 2);
    out += 'T';
    append_padded(out, second_of_day / 3600, 2);
    out += ':';
    append_padded(out, second_of_day / 60 % 60, 2);
    out += ':';
    append_padded(out, second_of_day % 60, 2);
    if (digits > 0) {
        std::uint64_t fraction = nanoseconds % kNanosecondsPerSecond;
        for (int i = digits; i < 9; ++i) fraction /= 10;
        out += '.';
        append_padded(out, fraction, digits);
    }
    out += 'Z';
    return out;
}

std::optional<std::uint64_t> parse_rfc3339(std::string_view text) noexcept {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || *year < 1970 || *year > 2553 || *month < 1 || *month > 12 || *day < 1 ||
        *day > days_in_month(*year, *month))
        return std::nullopt;
    std::int64_t seconds = days_from_civil(*year, *month, *day) * 86400;
    std::uint64_t fraction = 0;
    if (!text.empty()) {
        if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
        const auto hour = take_digits(text, 2);
        if (!hour || !take(text, ':')) return std::nullopt;
        const auto minute = take_digits(text, 2);
        if (!minute || !take(text, ':')) return std::nullopt;
        const auto second = take_digits(text, 2);
        if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
        seconds += *hour * 3600 + *minute * 60 + *second;
        if (take(text, '.')) {
            std::uint64_t unit = kNanosecondsPerSecond;
            while (!text.empty() && text.front() >= '0' && text.front() <= '9' && unit > 1) {
                unit /= 10;
                fraction += static_cast<std::uint64_t>(text.front() - '0') * unit;
                text.remove_prefix(1);
            }
            if (unit == kNanosecondsPerSecond) return std::nullopt;
        }
        if (!take(text, 'Z') && !take(text, 'z')) {
            const bool behind = take(text, '-');
            if (!behind && !take(text, '+')) return std::nullopt;
            const auto hours = take_digits(text, 2);
            if (!hours || !take(text, ':')) return std::nullopt;
            const auto minutes = take_digits(text, 2);
            if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
            const std::int64_t offset = *hours * 3600 + *minutes * 60;
            seconds += behind ? offset : -offset;
        }
    }
    if (!text.empty() || seconds < 0) return std::nullopt;
    return static_cast<std::uint64_t>(seconds) * kNanosecondsPerSecond + fraction;
}

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        // A foreign letter stands among ASCII: look for the next one in long strides.
        constexpr std::size_t kStride = 32;
        while (i + kStride <= text.size() && is_ascii(text.substr(i, kStride))) i += kStride;
        if (i == text.size()) break;
        const Decoded decoded = decode_utf8(text.data() + i, text.size() - i);
        if (decoded.size == 0) return false;
        i += decoded.size;
    }
    return true;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Decoded decoded = decode_utf8(text.data() + i, text.size() - i);
        if (decoded.size == 0) {
            out += "\\x" + to_hex(static_cast<std::uint8_t>(text[i]), 2);
            ++i;
            continue;
        }
        if (decoded.character == '\\')
            out += "\\\\";
        else if (decoded.character == '\n')
            out += "\\n";
        else if (decoded.character == '\t')
            out += "\\t";
        else if (decoded.character == '\r')
            out += "\\r";
        else if (decoded.character < 0x80 && commands_terminal(decoded.character))
            out += "\\x" + to_hex(decoded.character, 2);
        else if (commands_terminal(decoded.character))
            out += "\\u{" + to_hex(decoded.character, 4) + "}";
        else
            out.append(text, i, decoded.size);
        i += decoded.size;
    }
    return out;
}

std::string json_quoted(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const Decoded decoded = decode_utf8(text.data() + i, text.size() - i);
        if (decoded.size == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
            continue;
        }
        if (decoded.character == '"')
            out += "\\\"";
        else if (decoded.character == '\\')
            out += "\\\\";
        else if (decoded.character == '\n')
            out += "\\n";
        else if (decoded.character == '\t')
            out += "\\t";
        else if (decoded.character == '\r')
            out += "\\r";
        else if (commands_terminal(decoded.character))
            out += "\\u" + to_hex(decoded.character, 4);
        else
            out.append(text, i, decoded.size);
        i += decoded.size;
    }
    out += '"';
    return out;
}

}  // namespace hoopguard::base
