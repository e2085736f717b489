// A SAML 2.0 assertion whose signature has been verified: what it says, and whether that lets its subject in.
//
// XML is not read here: program hoopguard-saml does that, in a process of its own, and tells what the signed bytes
// say as JSON. Its two ends speak through this file.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "identify/token.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::identify {

// Times are seconds since 1970-01-01 UTC.
struct Confirmation {
    std::string method;
    std::string recipient;  // empty: none is named
    std::optional<std::int64_t> not_before;
    std::optional<std::int64_t> not_on_or_after;
};

struct Attribute {
    std::string name;
    std::vector<std::string> values;
};

struct Assertion {
    std::string id;
    std::string issuer;
    std::int64_t issued_at = 0;
    std::string subject;
    std::string subject_format;  // empty: none is named
    std::vector<Confirmation> confirmations;
    std::optional<std::int64_t> not_before;
    std::optional<std::int64_t> not_on_or_after;
    std::optional<std::int64_t> session_end;
    std::vector<std::vector<std::string>> audiences;  // one of each list must be meant
    std::vector<Attribute> attributes;                // no name twice

    std::string to_json() const;
    static base::Result<Assertion> from_json(const base::Json& object);
};

// The longest text of base64 that is taken for a SAML response: what fits into a password, of which PostgreSQL
// takes 64 kB.
inline constexpr std::size_t kLongestResponse = 48 << 10;

// A signature algorithm of XML by the name that providers' rows have for it (RFC 7518); empty: it is not accepted.
std::string_view name_of_signature_algorithm(std::string_view uri) noexcept;
// The same for digests; empty: not accepted.
std::string_view name_of_digest_algorithm(std::string_view uri) noexcept;

// Whether that is a SAML response or assertion in base64 rather than a JSON Web Token: it begins as "<" does
// there, and has no point. The blanks that base64 is broken by are left out.
std::optional<std::string> as_saml_response(std::string_view text);

struct AssertionVerdict {
    bool accepted = false;
    std::string reason = "not verified";  // for the journal, not for the client
    Identity identity;                    // only when accepted
    std::int64_t good_until = 0;          // how long its use must be remembered
};

// Issuer, audience, recipient, times. `rules.algorithms` has been seen to before.
AssertionVerdict verify(const Assertion& assertion, const TokenRules& rules, std::int64_t now);

}  // namespace hoopguard::identify
