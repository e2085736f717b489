// Spelling of methods, and the word that stands for one in a plan.
#include "mask/method.hpp"

#include "base/text.hpp"

#include <cstdio>
#include <iterator>
#include <optional>

namespace hoopguard::mask {

namespace {

// A packed word: kind in bits 0-7, padded in bit 8, from 12 to 35 prefix and suffix (12 bits each) or the amount,
// most_characters from 36.
constexpr unsigned kPaddedShift = 8;
constexpr unsigned kPrefixShift = 12;
constexpr unsigned kSuffixShift = 24;
constexpr unsigned kMostShift = 36;
constexpr std::uint64_t kKeptMask = (1u << 12) - 1;
constexpr std::uint64_t kAmountMask = (1u << 24) - 1;
static_assert(kMostKept <= kKeptMask && kMostAmount < kUnitBase);

constexpr std::string_view kAllowed =
    "redact, null, partial(prefix, suffix), email, hash, fpe, generalize(unit), noise(ratio), pseudonym, detect, "
    "clear";

constexpr std::string_view kUnits[] = {"minute",  "hour", "day",    "week",   "month",
                                       "quarter", "year", "decade", "century"};

// Methods without arguments.
struct Plain {
    std::string_view name;
    MethodKind kind;
};
constexpr Plain kPlain[] = {
    {"clear", MethodKind::kClear},         {"redact", MethodKind::kRedact}, {"null", MethodKind::kNull},
    {"email", MethodKind::kEmail},         {"hash", MethodKind::kHash},     {"fpe", MethodKind::kFpe},
    {"pseudonym", MethodKind::kPseudonym}, {"detect", MethodKind::kDetect},
};

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

base::Error unknown(std::string_view text) {
    return base::fail("unknown mask method \"" + base::printable(text) + "\"; allowed: " + std::string(kAllowed));
}

std::optional<std::uint32_t> kept(std::string_view text) noexcept {
    const auto number = base::parse_decimal(trim(text));
    if (!number || *number > kMostKept) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

base::Result<Method> parse_partial(std::string_view arguments) {
    const auto comma = arguments.find(',');
    if (comma != std::string_view::npos) {
        const auto prefix = kept(arguments.substr(0, comma));
        const auto suffix = kept(arguments.substr(comma + 1));
        if (prefix && suffix) return Method{MethodKind::kPartial, *prefix, *suffix};
    }
    return base::fail("invalid arguments of mask method \"partial(" + base::printable(arguments) +
                      ")\"; allowed: partial(prefix, suffix), two whole numbers from 0 to " +
                      std::to_string(kMostKept) + ", how many first and last characters stay");
}

base::Result<Method> parse_generalize(std::string_view arguments) {
    const auto word = trim(arguments);
    Method method{MethodKind::kGeneralize};
    for (std::size_t i = 0; i < std::size(kUnits); ++i)
        if (word == kUnits[i]) method.amount = kUnitBase + static_cast<std::uint32_t>(i);
    if (const auto number = base::parse_decimal(word); number && *number >= 1 && *number <= kMostAmount)
        method.amount = static_cast<std::uint32_t>(*number);
    if (method.amount != 0) return method;
    return base::fail("invalid arguments of mask method \"generalize(" + base::printable(arguments) +
                      ")\"; allowed: minute, hour, day, week, month, quarter, year, decade, century for times, a "
                      "whole number from 1 to " +
                      std::to_string(kMostAmount) +
                      " to round numbers down to, or the bits of an address that stay");
}

// A decimal such as 0.1, in millionths.
std::optional<std::uint32_t> millionths(std::string_view text) noexcept {
    const auto point = text.find('.');
    const auto whole = base::parse_decimal(text.substr(0, point));
    if (!whole || *whole > 8) return std::nullopt;
    std::uint32_t value = static_cast<std::uint32_t>(*whole) * 1000000;
    if (point == std::string_view::npos) return value;
    const auto fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.size() > 6) return std::nullopt;
    std::uint32_t weight = 100000;
    for (const char digit : fraction) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value += static_cast<std::uint32_t>(digit - '0') * weight;
        weight /= 10;
    }
    return value;
}

base::Result<Method> parse_noise(std::string_view arguments) {
    const auto ratio = millionths(trim(arguments));
    if (ratio && *ratio >= 1 && *ratio <= kMostAmount) return Method{MethodKind::kNoise, 0, 0, *ratio};
    return base::fail(
        "invalid arguments of mask method \"noise(" + base::printable(arguments) +
        ")\"; allowed: noise(ratio), a number above 0 and up to 8 such as 0.1, by which values move up "
        "or down at most");
}

// What stands between the brackets of `name(…)`.
std::optional<std::string_view> arguments_of(std::string_view spelling, std::string_view name) noexcept {
    if (!spelling.starts_with(name)) return std::nullopt;
    const auto rest = trim(spelling.substr(name.size()));
    if (rest.size() < 2 || rest.front() != '(' || rest.back() != ')') return std::nullopt;
    return rest.substr(1, rest.size() - 2);
}

}  // namespace

base::Result<Method> parse_method(std::string_view text) {
    const auto spelling = trim(text);
    for (const Plain& one : kPlain)
        if (spelling == one.name) return Method{one.kind};
    if (const auto arguments = arguments_of(spelling, "partial")) return parse_partial(*arguments);
    if (const auto arguments = arguments_of(spelling, "generalize")) return parse_generalize(*arguments);
    if (const auto arguments = arguments_of(spelling, "noise")) return parse_noise(*arguments);
    return unknown(text);
}

void describe(const Method& method, char* to, std::size_t size) noexcept {
    switch (method.kind) {
        case MethodKind::kPartial:
            std::snprintf(to, size, "partial(%u, %u)", method.prefix, method.suffix);
            return;
        case MethodKind::kGeneralize:
            if (!method.has_unit())
                std::snprintf(to, size, "generalize(%u)", method.amount);
            else if (method.amount - kUnitBase < std::size(kUnits))
                std::snprintf(to, size, "generalize(%s)", kUnits[method.amount - kUnitBase].data());
            return;
        case MethodKind::kNoise: {
            char fraction[16];
            std::snprintf(fraction, sizeof fraction, "%06u", method.amount % 1000000);
            std::size_t length = 6;
            while (length > 0 && fraction[length - 1] == '0') --length;
            fraction[length] = '\0';
            std::snprintf(to, size, length > 0 ? "noise(%u.%s)" : "noise(%u)", method.amount / 1000000, fraction);
            return;
        }
        default: break;
    }
    for (const Plain& one : kPlain)
        if (method.kind == one.kind) std::snprintf(to, size, "%s", one.name.data());
}

std::string to_text(const Method& method) {
    char text[64] = "redact";
    describe(method, text, sizeof text);
    return text;
}

bool fits(const Method& method, TypeFamily family) noexcept {
    using enum TypeFamily;
    bool const number = family == kInteger || family == kNumeric || family == kFloat;
    bool const time = family == kDate || family == kTimestamp;
    switch (method.kind) {
        case MethodKind::kClear:
        case MethodKind::kNull: return true;
        case MethodKind::kRedact: return family != kOther;
        case MethodKind::kPartial:
        case MethodKind::kEmail:
        case MethodKind::kPseudonym: return family == kText;
        case MethodKind::kHash: return family != kConstant && family != kOther;
        case MethodKind::kFpe:
            return family == kText || family == kInteger || family == kNumeric || family == kUuid ||
                   family == kBytes || family == kAddress;
        case MethodKind::kGeneralize: return method.has_unit() ? time : number || family == kAddress;
        case MethodKind::kNoise: return number || time;
        case MethodKind::kDetect: return family == kText || family == kJson;
    }
    return false;
}

Method fitting(const Method& method, TypeFamily family) noexcept {
    if (fits(method, family)) return method;
    return {family == TypeFamily::kOther ? MethodKind::kNull : MethodKind::kRedact};
}

std::uint64_t pack(const MaskSpec& spec) noexcept {
    std::uint64_t const amount = spec.method.amount != 0
                                     ? spec.method.amount
                                     : spec.method.prefix | spec.method.suffix << (kSuffixShift - kPrefixShift);
    return static_cast<std::uint64_t>(spec.method.kind) | std::uint64_t{spec.padded} << kPaddedShift |
           amount << kPrefixShift | std::uint64_t{spec.most_characters} << kMostShift;
}

MaskSpec unpack(std::uint64_t word) noexcept {
    MaskSpec spec;
    spec.method.kind = static_cast<MethodKind>(word & 0xFF);
    if (spec.method.kind == MethodKind::kPartial) {
        spec.method.prefix = static_cast<std::uint32_t>(word >> kPrefixShift & kKeptMask);
        spec.method.suffix = static_cast<std::uint32_t>(word >> kSuffixShift & kKeptMask);
    } else {
        spec.method.amount = static_cast<std::uint32_t>(word >> kPrefixShift & kAmountMask);
    }
    spec.most_characters = static_cast<std::uint32_t>(word >> kMostShift);
    spec.padded = (word >> kPaddedShift & 1) != 0;
    return spec;
}

}  // namespace hoopguard::mask
