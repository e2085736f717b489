// Spelling of methods, and the word that stands for one in a plan.
#include "mask/method.hpp"

#include "base/text.hpp"

#include <cstdio>
#include <optional>

namespace hoopguard::mask {

namespace {

// A packed word: kind in bits 0-7, padded in bit 8, prefix in 12-23, suffix in 24-35, most_characters from 36.
constexpr unsigned kPaddedShift = 8;
constexpr unsigned kPrefixShift = 12;
constexpr unsigned kSuffixShift = 24;
constexpr unsigned kMostShift = 36;
constexpr std::uint64_t kKeptMask = (1u << 12) - 1;
static_assert(kMostKept <= kKeptMask);

constexpr std::string_view kAllowed = "redact, null, partial(prefix, suffix), email, clear";

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

}  // namespace

base::Result<Method> parse_method(std::string_view text) {
    const auto spelling = trim(text);
    if (spelling == "clear") return Method{MethodKind::kClear};
    if (spelling == "redact") return Method{MethodKind::kRedact};
    if (spelling == "null") return Method{MethodKind::kNull};
    if (spelling == "email") return Method{MethodKind::kEmail};
    constexpr std::string_view kPartialName = "partial";
    if (spelling.starts_with(kPartialName)) {
        const auto rest = trim(spelling.substr(kPartialName.size()));
        if (rest.size() >= 2 && rest.front() == '(' && rest.back() == ')')
            return parse_partial(rest.substr(1, rest.size() - 2));
    }
    return unknown(text);
}

void describe(const Method& method, char* to, std::size_t size) noexcept {
    const char* name = "redact";
    switch (method.kind) {
        case MethodKind::kClear: name = "clear"; break;
        case MethodKind::kRedact: break;
        case MethodKind::kNull: name = "null"; break;
        case MethodKind::kEmail: name = "email"; break;
        case MethodKind::kPartial:
            std::snprintf(to, size, "partial(%u, %u)", method.prefix, method.suffix);
            return;
    }
    std::snprintf(to, size, "%s", name);
}

std::string to_text(const Method& method) {
    char text[64];
    describe(method, text, sizeof text);
    return text;
}

bool fits(const Method& method, TypeFamily family) noexcept {
    switch (method.kind) {
        case MethodKind::kClear:
        case MethodKind::kNull: return true;
        case MethodKind::kRedact: return family != TypeFamily::kOther;
        case MethodKind::kPartial:
        case MethodKind::kEmail: return family == TypeFamily::kText;
    }
    return false;
}

Method fitting(const Method& method, TypeFamily family) noexcept {
    if (fits(method, family)) return method;
    return {family == TypeFamily::kOther ? MethodKind::kNull : MethodKind::kRedact};
}

std::uint64_t pack(const MaskSpec& spec) noexcept {
    return static_cast<std::uint64_t>(spec.method.kind) | std::uint64_t{spec.padded} << kPaddedShift |
           std::uint64_t{spec.method.prefix} << kPrefixShift | std::uint64_t{spec.method.suffix} << kSuffixShift |
           std::uint64_t{spec.most_characters} << kMostShift;
}

MaskSpec unpack(std::uint64_t word) noexcept {
    MaskSpec spec;
    spec.method.kind = static_cast<MethodKind>(word & 0xFF);
    spec.method.prefix = static_cast<std::uint32_t>(word >> kPrefixShift & kKeptMask);
    spec.method.suffix = static_cast<std::uint32_t>(word >> kSuffixShift & kKeptMask);
    spec.most_characters = static_cast<std::uint32_t>(word >> kMostShift);
    spec.padded = (word >> kPaddedShift & 1) != 0;
    return spec;
}

}  // namespace hoopguard::mask
