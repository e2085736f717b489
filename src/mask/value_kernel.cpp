// Calendar arithmetic is proleptic Gregorian, on days since 2000-01-01 (a Saturday).
#include "mask/value_kernel.hpp"

#include "mask/keyed_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace hoopguard::mask {

namespace {

constexpr std::int64_t kMinute = 60'000'000;
constexpr std::int64_t kDay = 1440 * kMinute;
constexpr double kDaysOfYear = 365.25;
constexpr std::int64_t kFirstHashedDay = -25567;  // 1930-01-01
constexpr std::int64_t kHashedDays = 36525;

std::int64_t floor_to(std::int64_t value, std::int64_t step) noexcept {
    std::int64_t const rest = value % step;
    std::int64_t const below = rest < 0 ? rest + step : rest;
    // Where rounding down leaves the range, the lowest number will do.
    std::int64_t result;
    return __builtin_sub_overflow(value, below, &result) ? std::numeric_limits<std::int64_t>::min() : result;
}

std::int64_t add(std::int64_t value, std::int64_t more) noexcept {
    std::int64_t result;
    return __builtin_add_overflow(value, more, &result) ? value : result;
}

std::int64_t clamp_to(std::int64_t value, unsigned bits) noexcept {
    if (bits >= 64) return value;
    std::int64_t const most = (std::int64_t{1} << (bits - 1)) - 1;
    return std::clamp(value, -most - 1, most);
}

// The magnitude of a negative number, less one, stands for it: so both signs have as many values.
std::int64_t permute_integer(const MaskKeys& keys, std::int64_t value, unsigned bits) noexcept {
    bool const negative = value < 0;
    auto const magnitude = static_cast<std::uint64_t>(negative ? ~value : value);
    // A number that fits int4 gets the same mask in int8, so that they join.
    unsigned const used = bits > 32 && magnitude < (std::uint64_t{1} << 31) ? 32 : bits;
    auto const permuted = static_cast<std::int64_t>(keys.permute(magnitude, used - 1));
    return negative ? ~permuted : permuted;
}

std::int64_t encrypt_integer(const MaskKeys& keys, std::int64_t value, unsigned bits) noexcept {
    char text[24];
    auto const [end, error] = std::to_chars(text, text + sizeof text, value);
    if (error != std::errc()) return 0;
    // Walk on until the number fits again: a step is a permutation, so no two numbers meet.
    for (int i = 0; i < 64; ++i) {
        encrypt_digits(keys, {text, static_cast<std::size_t>(end - text)});
        std::int64_t masked = 0;
        if (std::from_chars(text, end, masked).ec == std::errc() && clamp_to(masked, bits) == masked)
            return masked;
    }
    return 0;
}

std::int64_t move_integer(const Method& method, const MaskKeys& keys, std::int64_t value, unsigned bits) noexcept {
    double const ratio = method.amount / 1e6 * keys.shift(static_cast<std::uint64_t>(value));
    double const moved = static_cast<double>(value) * (1 + ratio);
    if (!(moved > -9.2e18 && moved < 9.2e18)) return clamp_to(value < 0 ? INT64_MIN : INT64_MAX, bits);
    return clamp_to(std::llround(moved), bits);
}

struct Civil {
    std::int64_t year;
    unsigned month;  // 1 to 12
};

// After Howard Hinnant, "chrono-compatible low-level date algorithms".
Civil civil_of(std::int64_t days) noexcept {
    days += 10957 + 719468;  // from 2000-01-01 to 0000-03-01
    std::int64_t const era = floor_to(days, 146097) / 146097;
    auto const day = static_cast<std::uint64_t>(days - era * 146097);
    std::uint64_t const year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    std::uint64_t const rest = day - (365 * year + year / 4 - year / 100);
    std::uint64_t const month = (5 * rest + 2) / 153;
    bool const next = month >= 10;
    return {static_cast<std::int64_t>(year) + era * 400 + (next ? 1 : 0),
            static_cast<unsigned>(next ? month - 9 : month + 3)};
}

std::int64_t days_of(std::int64_t year, unsigned month) noexcept {
    year -= month <= 2 ? 1 : 0;
    std::int64_t const era = floor_to(year, 400) / 400;
    auto const year_of_era = static_cast<std::uint64_t>(year - era * 400);
    std::uint64_t const day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
    std::uint64_t const day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day;
    return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468 - 10957;
}

std::int64_t floor_days(std::int64_t days, Unit unit) noexcept {
    Civil const civil = civil_of(days);
    switch (unit) {
        case Unit::kMinute:
        case Unit::kHour:
        case Unit::kDay: return days;
        case Unit::kWeek: return floor_to(days - 2, 7) + 2;  // Mondays
        case Unit::kMonth: return days_of(civil.year, civil.month);
        case Unit::kQuarter: return days_of(civil.year, (civil.month - 1) / 3 * 3 + 1);
        case Unit::kYear: return days_of(civil.year, 1);
        case Unit::kDecade: return days_of(floor_to(civil.year, 10), 1);
        case Unit::kCentury: return days_of(floor_to(civil.year - 1, 100) + 1, 1);
    }
    return days;
}

std::int64_t floor_time(std::int64_t microseconds, Unit unit) noexcept {
    if (unit == Unit::kMinute) return floor_to(microseconds, kMinute);
    if (unit == Unit::kHour) return floor_to(microseconds, 60 * kMinute);
    return floor_days(floor_to(microseconds, kDay) / kDay, unit) * kDay;
}

}  // namespace

std::int64_t mask_integer(const Method& method, const MaskKeys* keys, std::int64_t value, unsigned bits) noexcept {
    switch (method.kind) {
        case MethodKind::kHash: return permute_integer(*keys, value, bits);
        case MethodKind::kFpe: return encrypt_integer(*keys, value, bits);
        case MethodKind::kGeneralize: return clamp_to(floor_to(value, method.amount), bits);
        case MethodKind::kNoise: return move_integer(method, *keys, value, bits);
        default: return 0;
    }
}

double mask_real(const Method& method, const MaskKeys* keys, double value) noexcept {
    if (!std::isfinite(value)) return 0;
    auto const bits = __builtin_bit_cast(std::uint64_t, value == 0 ? 0.0 : value);  // -0 is 0
    switch (method.kind) {
        case MethodKind::kHash: return static_cast<double>(keys->word(Use::kHash, bits) >> 12);
        case MethodKind::kGeneralize: return std::floor(value / method.amount) * method.amount;
        case MethodKind::kNoise: return value * (1 + method.amount / 1e6 * keys->shift(bits));
        default: return 0;
    }
}

std::int32_t mask_date(const Method& method, const MaskKeys* keys, std::int32_t days) noexcept {
    auto const word = static_cast<std::uint64_t>(std::int64_t{days});
    switch (method.kind) {
        case MethodKind::kHash:
            return static_cast<std::int32_t>(
                kFirstHashedDay + static_cast<std::int64_t>(keys->word(Use::kHash, word) % kHashedDays));
        case MethodKind::kGeneralize: return static_cast<std::int32_t>(floor_days(days, method.unit()));
        case MethodKind::kNoise:
            return static_cast<std::int32_t>(
                clamp_to(days + std::llround(method.amount / 1e6 * kDaysOfYear * keys->shift(word)), 32));
        default: return 0;
    }
}

std::int64_t mask_time(const Method& method, const MaskKeys* keys, std::int64_t microseconds) noexcept {
    auto const word = static_cast<std::uint64_t>(microseconds);
    switch (method.kind) {
        case MethodKind::kHash:
            return kFirstHashedDay * kDay +
                   static_cast<std::int64_t>(keys->word(Use::kHash, word) %
                                             static_cast<std::uint64_t>(kHashedDays * kDay));
        case MethodKind::kGeneralize: return floor_time(microseconds, method.unit());
        case MethodKind::kNoise:
            return add(microseconds, std::llround(method.amount / 1e6 * kDaysOfYear * static_cast<double>(kDay) *
                                                  keys->shift(word)));
        default: return 0;
    }
}

void mask_bytes(const Method& method, const MaskKeys& keys, std::span<std::uint8_t> bytes) noexcept {
    constexpr std::size_t kPiece = 24;
    constexpr std::size_t kShortest = 3;  // a million values
    auto block = keys.sum(method.kind == MethodKind::kFpe ? Use::kFpe : Use::kHash, bytes);
    std::size_t drawn = 0;
    auto const draw = [&]() noexcept {
        if (drawn == block.size()) {
            block = keys.sum(Use::kHash, block);
            drawn = 0;
        }
        return block[drawn++];
    };
    std::uint8_t piece = 0;
    for (std::size_t at = 0; at < bytes.size(); ++piece) {
        std::size_t taken = std::min(bytes.size() - at, kPiece);
        if (bytes.size() - at - taken < kShortest) taken = bytes.size() - at;
        std::uint16_t numerals[kPiece + kShortest];
        for (std::size_t i = 0; i < taken; ++i) numerals[i] = bytes[at + i];
        bool const whole = method.kind == MethodKind::kFpe && taken >= kShortest &&
                           keys.ff1().encrypt(256, {&piece, piece != 0 ? 1u : 0u}, {numerals, taken});
        for (std::size_t i = 0; i < taken; ++i)
            bytes[at + i] = whole ? static_cast<std::uint8_t>(numerals[i]) : draw();
        at += taken;
    }
}

void mask_uuid(const Method& method, const MaskKeys& keys, std::span<std::uint8_t, 16> uuid) noexcept {
    mask_bytes(method, keys, uuid);
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0F) | 0x80);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3F) | 0x80);
}

void keep_bits(std::span<std::uint8_t> bytes, unsigned kept) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        unsigned const before = static_cast<unsigned>(i) * 8;
        if (before >= kept)
            bytes[i] = 0;
        else if (kept - before < 8)
            bytes[i] = static_cast<std::uint8_t>(bytes[i] & 0xFF << (8 - (kept - before)));
    }
}

}  // namespace hoopguard::mask
