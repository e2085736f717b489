// The rules for claims. Every way out but the last refuses.
#include "identify/token.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cmath>

namespace hoopguard::identify {
namespace {

constexpr std::size_t kMostNameBytes = 255;
constexpr std::size_t kMostGroups = 1000;
constexpr double kLatestTime = 253402300799;  // 9999-12-31

using Check = SignedText::Check;

// Names end up in C texts, in error messages and in the journal.
bool is_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMostNameBytes &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// Also RFC 9068's access tokens; no logout token, no proof of possession, no event that happens to be signed
// alike.
bool is_identity_type(std::string type) {
    std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    if (type.starts_with("application/")) type.erase(0, 12);
    return type == "jwt" || type == "at+jwt";
}

base::Result<std::optional<double>> time_claim(const base::Json& claims, std::string_view name) {
    const base::Json* const member = claims.member(name);
    if (member == nullptr) return std::optional<double>();
    const double* const seconds = member->real();
    if (seconds == nullptr || !(*seconds >= 0 && *seconds <= kLatestTime))
        return base::fail("claim \"" + std::string(name) + "\" is not a time in seconds");
    return std::optional<double>(*seconds);
}

base::Status check_times(const base::Json& claims, std::int64_t now, Identity& out) {
    const auto expires = time_claim(claims, "exp");
    if (!expires) return expires.error();
    const auto starts = time_claim(claims, "nbf");
    if (!starts) return starts.error();
    const auto issued = time_claim(claims, "iat");
    if (!issued) return issued.error();
    if (!*expires) return base::fail("the token never expires: claim \"exp\" is missing");
    const auto clock = static_cast<double>(now);
    if (**expires + kClockSkew <= clock) return base::fail("the token has expired");
    if (*starts && **starts > clock + kClockSkew) return base::fail("the token is not valid yet");
    if (*issued && **issued > clock + kClockSkew) return base::fail("the token was issued in the future");
    const double from = *issued ? **issued : clock;
    if (**expires - from > kLongestLife + kClockSkew || **expires - clock > kLongestLife + kClockSkew)
        return base::fail("the token is good for more than a day");
    out.expires_at = static_cast<std::int64_t>(std::floor(**expires));
    return {};
}

base::Status check_audience(const base::Json& claims, const std::vector<std::string>& accepted) {
    const base::Json* const member = claims.member("aud");
    if (member == nullptr) return base::fail("the token names no audience");
    const auto is_ours = [&accepted](const base::Json& one) {
        return one.text() != nullptr && std::ranges::find(accepted, *one.text()) != accepted.end();
    };
    const auto* const several = member->array();
    if (several == nullptr ? is_ours(*member) : std::ranges::any_of(*several, is_ours)) return {};
    return base::fail("the token is for another audience");
}

base::Status read_subject(const base::Json& claims, const std::string& name, Identity& out) {
    const base::Json* const subject = claim_at(claims, name);
    if (subject == nullptr || subject->text() == nullptr || !is_name(*subject->text()))
        return base::fail("claim \"" + name + "\" is not a subject: a text of 1 to 255 bytes");
    out.subject = *subject->text();
    return {};
}

// A list of texts, or one text.
base::Status read_groups(const base::Json& claims, const std::string& name, Identity& out) {
    const base::Json* const groups = claim_at(claims, name);
    if (groups == nullptr) return {};
    if (const auto* const one = groups->text()) {
        if (is_name(*one)) out.groups.push_back(*one);
        return {};
    }
    const auto* const several = groups->array();
    if (several == nullptr || several->size() > kMostGroups)
        return base::fail("claim \"" + name + "\" is not a list of at most 1000 groups");
    for (const base::Json& group : *several) {
        if (group.text() == nullptr || !is_name(*group.text()))
            return base::fail("claim \"" + name + "\" holds what is not a group: a text of 1 to 255 bytes");
        out.groups.push_back(*group.text());
    }
    return {};
}

// A text, or an object with a subject (RFC 8693 section 4.1).
base::Status read_delegation(const base::Json& claims, const std::string& name, Identity& out) {
    const base::Json* member = claim_at(claims, name);
    if (member == nullptr) return {};
    if (member->object() != nullptr) member = member->member("sub");
    if (member == nullptr || member->text() == nullptr || !is_name(*member->text()))
        return base::fail("claim \"" + name + "\" does not say on whose behalf");
    if (*member->text() != out.subject) out.on_behalf_of = *member->text();
    return {};
}

base::Status read_claims(const base::Json& claims, const TokenRules& rules, std::int64_t now, Identity& out) {
    const base::Json* const issuer = claims.member("iss");
    if (issuer == nullptr || issuer->text() == nullptr || rules.issuer.empty() || *issuer->text() != rules.issuer)
        return base::fail("the token is of another issuer");
    if (auto status = check_audience(claims, rules.audience); !status) return status;
    if (auto status = check_times(claims, now, out); !status) return status;
    // Bound to a key that its sender must prove to hold (RFC 7800): sent as a password, it proves nothing.
    if (claims.member("cnf") != nullptr) return base::fail("the token is bound to a key (claim \"cnf\")");
    return read_speaker(claims, rules, out);
}

std::string_view reason_of(Check check) noexcept {
    switch (check) {
        case Check::kUnknownKey: return "no key of the provider fits the token";
        case Check::kAmbiguousKey: return "several keys of the provider fit the token, which names none alone";
        case Check::kWrongSignature: return "the signature is wrong";
        case Check::kSigned: break;
    }
    return "";
}

}  // namespace

base::Status read_speaker(const base::Json& claims, const TokenRules& rules, Identity& out) {
    if (auto status = read_subject(claims, rules.subject_claim, out); !status) return status;
    if (auto status = read_groups(claims, rules.groups_claim, out); !status) return status;
    if (auto status = read_delegation(claims, rules.delegation_claim, out); !status) return status;
    const base::Json* const id = claims.member("jti");
    if (id != nullptr && id->text() != nullptr && is_name(*id->text())) out.token_id = *id->text();
    return {};
}

const base::Json* claim_at(const base::Json& claims, std::string_view path) noexcept {
    if (const base::Json* const whole = claims.member(path)) return whole;
    for (std::size_t point = path.find('.'); point != std::string_view::npos; point = path.find('.', point + 1))
        if (const base::Json* const outer = claims.member(path.substr(0, point)))
            if (const base::Json* const inner = claim_at(*outer, path.substr(point + 1))) return inner;
    return nullptr;
}

std::string claimed_issuer(const SignedText& token) {
    const auto claims = base::Json::parse(base::text_of(token.payload));
    const base::Json* const issuer = claims ? claims->member("iss") : nullptr;
    return issuer != nullptr && issuer->text() != nullptr ? *issuer->text() : std::string();
}

Verdict verify(const SignedText& token, const KeySet& keys, const TokenRules& rules, std::int64_t now) {
    Verdict verdict;
    if (std::ranges::find(rules.algorithms, token.algorithm) == rules.algorithms.end()) {
        verdict.reason = "the provider does not sign with " + std::string(to_text(token.algorithm));
        return verdict;
    }
    if (token.type && !is_identity_type(*token.type)) {
        verdict.reason = "the token is of type " + base::json_quoted(token.type->substr(0, 32));
        return verdict;
    }
    const Check check = token.check(keys);
    if (check != Check::kSigned) {
        if (check == Check::kUnknownKey) verdict.outcome = Verdict::Outcome::kUnknownKey;
        verdict.reason = reason_of(check);
        return verdict;
    }
    const auto claims = base::Json::parse(base::text_of(token.payload));
    if (!claims || claims->object() == nullptr) {
        verdict.reason = claims ? "the claims are not a JSON object" : "the claims are " + claims.error().message;
        return verdict;
    }
    if (const auto status = read_claims(*claims, rules, now, verdict.identity); !status) {
        verdict.reason = status.error().message;
        verdict.identity = {};
        return verdict;
    }
    verdict.identity.claims = base::text_of(token.payload);
    verdict.reason.clear();
    verdict.outcome = Verdict::Outcome::kVerified;
    return verdict;
}

}  // namespace hoopguard::identify
