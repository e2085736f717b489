// A token of an identity provider (a JSON Web Token, RFC 7519, under the rules of RFC 8725): who it says speaks,
// once everything about it has been verified.
#pragma once

#include "base/json.hpp"
#include "identify/key_set.hpp"
#include "identify/signed_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::identify {

// What a provider's tokens must be, and where they say what. A claim is named by its name or, where no claim has
// that name, by a path such as realm_access.roles.
struct TokenRules {
    std::string issuer;
    std::vector<std::string> audience;  // one of these
    std::vector<crypto::TokenAlgorithm> algorithms;
    std::string subject_claim = "sub";
    std::string groups_claim = "groups";
    std::string delegation_claim = "act";
};

struct Identity {
    std::string subject;
    std::vector<std::string> groups;
    std::string on_behalf_of;     // empty: of the subject alone
    std::string token_id;         // "jti"; empty: none
    std::string claims;           // the payload: a JSON object
    std::int64_t expires_at = 0;  // seconds since 1970-01-01 UTC
};

// Starts as a refusal.
struct Verdict {
    enum class Outcome : std::uint8_t { kRefused, kUnknownKey, kVerified };
    Outcome outcome = Outcome::kRefused;
    std::string reason = "not verified";  // for the journal, not for the client
    Identity identity;                    // only when verified

    bool verified() const noexcept { return outcome == Outcome::kVerified; }
};

inline constexpr std::int64_t kClockSkew = 60;  // seconds
inline constexpr std::int64_t kLongestLife =
    24 * 60 * 60;  // seconds; a token that is good for longer is a password

// The issuer that a token claims to be of, to choose the provider by; nothing is verified. Empty: it names none.
std::string claimed_issuer(const SignedText& token);

// `now`: seconds since 1970-01-01 UTC.
Verdict verify(const SignedText& token, const KeySet& keys, const TokenRules& rules, std::int64_t now);

// Subject, groups, on whose behalf, and the token's own name, from claims that have been verified.
base::Status read_speaker(const base::Json& claims, const TokenRules& rules, Identity& out);

// A member of a JSON object by its name or, where there is none of that name, by a path of names and points.
const base::Json* claim_at(const base::Json& claims, std::string_view path) noexcept;

}  // namespace hoopguard::identify
