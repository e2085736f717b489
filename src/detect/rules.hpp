// The patterns of what is sensitive, each with what it is tried for. Matched by RE2: time linear in the text,
// whatever it holds. A pattern is compiled when it is first tried, once per process.
#pragma once

#include "detect/finding.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace re2 {
class RE2;
}

namespace hoopguard::detect {

enum class Rule : std::uint8_t {
    kEmail,
    kPhoneInternational,
    kPhoneGrouped,
    kPhoneNational,
    kPhonePlain,
    kSsn,
    kSsnPlain,
    kCard,
    kIban,
    kIpv4,
    kIpv6,
    kBirthDate,
    kBirthDateInWords,
    kPassport,
    kTravelDocument,
    kStreet,
    kTitledName,
    kWebToken,
    kAwsKey,
    kGoogleKey,
    kPrefixedToken,
    kBearer,
    kPrivateKey,
    kPasswordHash,
    kUrlPassword,
    kNamedSecret,
    kCount,
};

class Rules {
 public:
    Rules();
    ~Rules();
    Rules(const Rules&) = delete;
    Rules& operator=(const Rules&) = delete;

    // Tries the rule at `at` exactly, looking no further than `to`. On a match gives where what it found begins
    // and ends, its kind and how sure that is. Throws std::bad_alloc.
    bool match(Rule rule, std::string_view text, std::size_t at, std::size_t to, Finding& out) const;

    // Whether all patterns compile; for tests.
    bool all_compile() const;

 private:
    const re2::RE2& pattern(Rule rule) const;

    mutable std::unique_ptr<re2::RE2> compiled_[static_cast<std::size_t>(Rule::kCount)];
};

}  // namespace hoopguard::detect
