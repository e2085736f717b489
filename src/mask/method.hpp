// How a value is masked, as an administrator writes it: "redact", "partial(2, 3)", and what it can be applied to.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hoopguard::mask {

enum class MethodKind : std::uint8_t {
    kClear = 0,   // not masked
    kRedact = 1,  // a constant of the type
    kNull = 2,
    kPartial = 3,     // the first `prefix` and the last `suffix` characters stay
    kEmail = 4,       // j***@e***.com
    kHash = 5,        // a keyed token: equal values stay equal
    kFpe = 6,         // digits stay digits, letters letters: FF1
    kGeneralize = 7,  // rounded down, to `amount`
    kNoise = 8,       // moved by up to `amount` millionths, by a key
    kPseudonym = 9,   // a made-up name, by a key
    kDetect = 10,     // only what is sensitive inside
};

inline constexpr std::uint32_t kMostKept = 1000;       // of prefix and of suffix, in characters
inline constexpr std::uint32_t kMostAmount = 8000000;  // a step that numbers are rounded to, a ratio of 8
inline constexpr std::uint32_t kUnitBase = 0xFF0000;   // an amount from here on is kUnitBase + Unit

// What times are rounded down to.
enum class Unit : std::uint8_t { kMinute, kHour, kDay, kWeek, kMonth, kQuarter, kYear, kDecade, kCentury };

struct Method {
    MethodKind kind = MethodKind::kRedact;
    std::uint32_t prefix = 0;
    std::uint32_t suffix = 0;
    std::uint32_t amount = 0;
    bool operator==(const Method&) const = default;

    bool has_unit() const noexcept { return amount >= kUnitBase; }
    Unit unit() const noexcept { return static_cast<Unit>(amount - kUnitBase); }
};

// Whether masking needs the cluster's secret.
constexpr bool is_keyed(MethodKind kind) noexcept {
    return kind == MethodKind::kHash || kind == MethodKind::kFpe || kind == MethodKind::kNoise ||
           kind == MethodKind::kPseudonym;
}

// What a type's values are, as far as methods care. An array is of the family of its elements, and its elements
// are masked one by one; redact leaves an empty one.
enum class TypeFamily : std::uint8_t {
    kText,
    kInteger,
    kNumeric,
    kFloat,
    kDate,
    kTimestamp,
    kUuid,
    kBytes,
    kJson,
    kAddress,   // inet, cidr
    kConstant,  // others that have a constant
    kOther,
};

// Reads a method with its arguments; blanks around names and numbers are allowed, upper case is not. The error
// names what is allowed.
base::Result<Method> parse_method(std::string_view text);

// The one spelling of a method: parse_method gives it back.
std::string to_text(const Method& method);

// The same into a buffer, cut where it ends: for error texts, where nothing may throw.
void describe(const Method& method, char* to, std::size_t size) noexcept;

// Whether a masked value is of the same type. null and clear fit every type, redact every one that has a constant.
bool fits(const Method& method, TypeFamily family) noexcept;

// The method that masks in place of one that does not fit: redact where the type has a constant, else null.
Method fitting(const Method& method, TypeFamily family) noexcept;

// Everything the mask function needs, in the 64 bits that a plan carries: the method and, for a type with a
// length, how many characters fit and whether blanks fill them.
struct MaskSpec {
    Method method;
    std::uint32_t most_characters = 0;  // 0: any number; varchar(n) and character(n); digits before the point
    bool padded = false;                // character(n)
    bool operator==(const MaskSpec&) const = default;
};

std::uint64_t pack(const MaskSpec& spec) noexcept;
MaskSpec unpack(std::uint64_t word) noexcept;

}  // namespace hoopguard::mask
