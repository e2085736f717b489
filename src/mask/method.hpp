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
    kPartial = 3,  // the first `prefix` and the last `suffix` characters stay
    kEmail = 4,    // j***@e***.com
};

inline constexpr std::uint32_t kMostKept = 1000;  // of prefix and of suffix, in characters

struct Method {
    MethodKind kind = MethodKind::kRedact;
    std::uint32_t prefix = 0;
    std::uint32_t suffix = 0;
    bool operator==(const Method&) const = default;
};

// What a type's values are, as far as methods care.
enum class TypeFamily : std::uint8_t { kText, kConstant, kOther };

// Reads a method with its arguments; blanks around names and numbers are allowed, upper case is not. The error
// names what is allowed.
base::Result<Method> parse_method(std::string_view text);

// The one spelling of a method: parse_method gives it back.
std::string to_text(const Method& method);

// The same into a buffer, cut where it ends: for error texts, where nothing may throw.
void describe(const Method& method, char* to, std::size_t size) noexcept;

// Whether a masked value is of the same type: text methods need text, a constant needs a type that has one, and
// null and clear fit every type.
bool fits(const Method& method, TypeFamily family) noexcept;

// The method that masks in place of one that does not fit: redact where the type has a constant, else null.
Method fitting(const Method& method, TypeFamily family) noexcept;

// Everything the mask function needs, in the 64 bits that a plan carries: the method and, for a type with a
// length, how many characters fit and whether blanks fill them.
struct MaskSpec {
    Method method;
    std::uint32_t most_characters = 0;  // 0: any number; varchar(n) and character(n)
    bool padded = false;                // character(n)
    bool operator==(const MaskSpec&) const = default;
};

std::uint64_t pack(const MaskSpec& spec) noexcept;
MaskSpec unpack(std::uint64_t word) noexcept;

}  // namespace hoopguard::mask
