// Sensitive values in recorded text become keyed tokens: the same value gives the same token, so that statements
// can still be compared, and nothing but the cluster's key tells which value it was.
#pragma once

#include "base/bytes.hpp"
#include "crypto/mac.hpp"
#include "record/format.hpp"
#include "record/secrets.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::record {

// Payload fields beside those of format.hpp; doc/journal_format.md, section 5.5.
inline constexpr Field kFieldSealed{80};  // bytes: exact text and parameters, sealed to the auditor's key
inline constexpr Field kFieldParametersDigest{81};  // bytes: HMAC-SHA-256 of the exact parameters

// What masks know about a statement before it runs.
struct SensitiveParts {
    // Where literals that meet classified columns begin: bytes from the beginning of the source text.
    std::span<const std::int32_t> literals;
    std::span<const std::int32_t> parameters;  // numbers of parameters that do
    // Nobody knows what the text's literals are for (it did not parse, or holds code), and there are classified
    // columns: every string may be one.
    bool any_literal = false;
    // The statement reads or writes classified columns: values in its errors may be theirs.
    bool classified = false;

    bool empty() const noexcept { return literals.empty() && parameters.empty() && !any_literal && !classified; }
    bool has_parameter(unsigned number) const noexcept;
};

// <redacted:0123456789ab>
class Tokens {
 public:
    static constexpr std::size_t kSize = 23;
    explicit Tokens(base::ByteView key) noexcept;
    std::string of(std::string_view value) const;

 private:
    crypto::HmacSha256 keyed_;
};

// A part of a text and what stands there instead.
struct Replacement {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
};
using Replacements = std::vector<Replacement>;  // ascending, apart from each other

// What of a long text is recorded: [0, head) and [tail, its end). Nothing else needs to be looked through.
struct Shown {
    std::size_t head = SIZE_MAX;
    std::size_t tail = SIZE_MAX;
};

// What to replace in a statement's text, which begins `offset` bytes into the source: the literals in `parts`, and
// what the detector finds in other strings, comments and numbers. Throws std::bad_alloc.
Replacements redact_statement(std::string_view text, std::size_t offset, bool standard_strings,
                              const SensitiveParts& parts, const Tokens& tokens, const Shown& shown = {});

// Likewise for a bound value, and for a message, which may quote values. `whole`: replace all of it.
Replacements redact_value(std::string_view value, bool whole, const Tokens& tokens);
Replacements redact_message(std::string_view message, const SensitiveParts& parts, const Tokens& tokens);

// Both lists in one; where they overlap `first` wins.
Replacements merged(const Replacements& first, const Replacements& second);
// Appends text[from, to) with what stands in it replaced; a replacement across an edge is on the side where it
// begins.
void append_replaced(std::string& out, std::string_view text, const Replacements& replacements, std::size_t from,
                     std::size_t to);
std::string with_replacements(std::string_view text, const Replacements& replacements);

}  // namespace hoopguard::record
