// The rules for assertions, and their JSON. Every way out but the last refuses.
#include "identify/assertion.hpp"

#include "base/json_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hoopguard::identify {
namespace {

using base::Json;
using Names = std::array<std::pair<std::string_view, std::string_view>, 6>;

constexpr Names kSignatures = {{{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "RS256"},
                                {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "RS384"},
                                {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "RS512"},
                                {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "ES256"},
                                {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", "ES384"},
                                {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", "ES512"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDigests = {
    {{"http://www.w3.org/2001/04/xmlenc#sha256", "SHA256"},
     {"http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA384"},
     {"http://www.w3.org/2001/04/xmlenc#sha512", "SHA512"}}};
constexpr std::string_view kBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
// What the assertion itself says; an attribute of such a name does not take its place.
constexpr std::array<std::string_view, 10> kOwnClaims = {
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "name_id_format", "amr"};

template <class Pairs>
std::string_view name_in(const Pairs& pairs, std::string_view uri) noexcept {
    const auto* const found = std::ranges::find(pairs, uri, [](const auto& pair) { return pair.first; });
    return found == pairs.end() ? std::string_view() : found->second;
}

void put_time(base::JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& time) {
    if (time) json.number(name, *time);
}

template <class Values, class Write>
std::string list(const Values& values, Write write) {
    std::string text = "[";
    for (const auto& value : values) text += (text.size() > 1 ? "," : "") + write(value);
    return text + "]";
}

std::string to_text(const Confirmation& one) {
    base::JsonWriter json;
    json.text("method", one.method);
    json.text("recipient", one.recipient);
    put_time(json, "not_before", one.not_before);
    put_time(json, "not_on_or_after", one.not_on_or_after);
    return json.object();
}

std::string to_text(const Attribute& one) {
    base::JsonWriter json;
    json.text("name", one.name);
    json.texts("values", one.values);
    return json.object();
}

std::string to_text(const std::vector<std::string>& texts) {
    return list(texts, [](const std::string& one) { return base::json_quoted(one); });
}

std::string text_at(const Json& object, std::string_view name) {
    const Json* const member = object.member(name);
    return member != nullptr && member->text() != nullptr ? *member->text() : std::string();
}

std::optional<std::int64_t> time_at(const Json& object, std::string_view name) noexcept {
    const Json* const member = object.member(name);
    if (member == nullptr || member->number() == nullptr) return std::nullopt;
    return static_cast<std::int64_t>(*member->number());
}

std::vector<std::string> texts_of(const Json& value) {
    std::vector<std::string> texts;
    if (value.array() != nullptr)
        for (const Json& one : *value.array())
            if (one.text() != nullptr) texts.push_back(*one.text());
    return texts;
}

template <class Take>
void each(const Json& object, std::string_view name, Take take) {
    const Json* const member = object.member(name);
    if (member != nullptr && member->array() != nullptr)
        for (const Json& one : *member->array()) take(one);
}

bool is_among(const std::string& text, const std::vector<std::string>& accepted) noexcept {
    return std::ranges::find(accepted, text) != accepted.end();
}

// Each restriction must be met (SAML core 2.5.1.4), and there must be one.
base::Status check_audience(const Assertion& assertion, const TokenRules& rules) {
    if (assertion.audiences.empty()) return base::fail("the assertion names no audience");
    for (const auto& list : assertion.audiences)
        if (std::ranges::none_of(list, [&](const std::string& one) { return is_among(one, rules.audience); }))
            return base::fail("the assertion is for another audience");
    return {};
}

// The end of the bearer's time (SAML profiles 4.1.4.2): somebody must be sent here who needs nothing but the
// assertion.
base::Result<std::int64_t> confirmed_until(const Assertion& assertion, const TokenRules& rules) {
    std::string problem = "the assertion confirms no bearer";
    for (const Confirmation& one : assertion.confirmations) {
        if (one.method != kBearer) continue;
        if (!is_among(one.recipient, rules.audience))
            problem = "the assertion is for another recipient";
        else if (!one.not_on_or_after || one.not_before)
            problem = "the bearer's confirmation must have NotOnOrAfter, and no NotBefore";
        else
            return *one.not_on_or_after;
    }
    return base::fail(std::move(problem));
}

base::Status check_times(const Assertion& assertion, std::int64_t until, std::int64_t now) {
    if (until + kClockSkew <= now) return base::fail("the assertion has expired");
    if (assertion.not_before && *assertion.not_before > now + kClockSkew)
        return base::fail("the assertion is not valid yet");
    if (assertion.issued_at > now + kClockSkew) return base::fail("the assertion was issued in the future");
    if (until - assertion.issued_at > kLongestLife + kClockSkew)
        return base::fail("the assertion is good for more than a day");
    if (assertion.session_end && *assertion.session_end <= now)
        return base::fail("the session that the assertion tells of is over");
    return {};
}

// One value as a text, several as a list, as token claims have them.
std::string claims_of(const Assertion& assertion, std::int64_t expires_at) {
    base::JsonWriter json;
    json.text("iss", assertion.issuer);
    json.text("sub", assertion.subject);
    json.text_if_any("name_id_format", assertion.subject_format);
    json.text("jti", assertion.id);
    json.number("iat", assertion.issued_at);
    put_time(json, "nbf", assertion.not_before);
    json.number("exp", expires_at);
    for (const Attribute& one : assertion.attributes) {
        if (std::ranges::find(kOwnClaims, one.name) != kOwnClaims.end()) continue;
        if (one.values.size() == 1)
            json.text(one.name, one.values.front());
        else
            json.texts(one.name, one.values);
    }
    return json.object();
}

base::Status admit(const Assertion& assertion, const TokenRules& rules, std::int64_t now, AssertionVerdict& out) {
    if (rules.issuer.empty() || assertion.issuer != rules.issuer)
        return base::fail("the assertion is of another issuer");
    if (auto status = check_audience(assertion, rules); !status) return status;
    const auto confirmed = confirmed_until(assertion, rules);
    if (!confirmed) return confirmed.error();
    const std::int64_t until = std::min(*confirmed, assertion.not_on_or_after.value_or(*confirmed));
    if (auto status = check_times(assertion, until, now); !status) return status;
    // The window that an assertion may be sent in is minutes; how long its subject may stay is said elsewhere.
    out.identity.expires_at = std::min(assertion.session_end.value_or(until), now + kLongestLife);
    out.good_until = until + kClockSkew;
    std::string text = claims_of(assertion, out.identity.expires_at);
    const auto claims = Json::parse(text);
    if (!claims) return base::fail("the attributes cannot be told as JSON: " + claims.error().message);
    if (auto status = read_speaker(*claims, rules, out.identity); !status) return status;
    out.identity.claims = std::move(text);
    return {};
}

}  // namespace

std::string_view name_of_signature_algorithm(std::string_view uri) noexcept {
    return name_in(kSignatures, uri);
}

std::string_view name_of_digest_algorithm(std::string_view uri) noexcept {
    return name_in(kDigests, uri);
}

std::optional<std::string> as_saml_response(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    // What "<" and two bits of what follows become in base64.
    const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    if (!text.substr(begin).starts_with('P') || text.find('.') != std::string_view::npos) return std::nullopt;
    std::string base64;
    for (const char c : text)
        if (kBlanks.find(c) == std::string_view::npos) base64.push_back(c);
    return base64;
}

std::string Assertion::to_json() const {
    base::JsonWriter json;
    json.text("id", id);
    json.text("issuer", issuer);
    json.number("issued_at", issued_at);
    json.text("subject", subject);
    json.text("subject_format", subject_format);
    put_time(json, "not_before", not_before);
    put_time(json, "not_on_or_after", not_on_or_after);
    put_time(json, "session_end", session_end);
    json.json("confirmations", list(confirmations, [](const Confirmation& one) { return to_text(one); }));
    json.json("audiences", list(audiences, [](const auto& one) { return to_text(one); }));
    json.json("attributes", list(attributes, [](const Attribute& one) { return to_text(one); }));
    return json.object();
}

base::Result<Assertion> Assertion::from_json(const Json& object) {
    Assertion result;
    result.id = text_at(object, "id");
    result.issuer = text_at(object, "issuer");
    result.subject = text_at(object, "subject");
    result.subject_format = text_at(object, "subject_format");
    const auto issued = time_at(object, "issued_at");
    if (result.id.empty() || result.issuer.empty() || result.subject.empty() || !issued)
        return base::fail("the answer about an assertion lacks what it must say");
    result.issued_at = *issued;
    result.not_before = time_at(object, "not_before");
    result.not_on_or_after = time_at(object, "not_on_or_after");
    result.session_end = time_at(object, "session_end");
    each(object, "confirmations", [&result](const Json& one) {
        result.confirmations.push_back({text_at(one, "method"), text_at(one, "recipient"),
                                        time_at(one, "not_before"), time_at(one, "not_on_or_after")});
    });
    each(object, "audiences", [&result](const Json& one) { result.audiences.push_back(texts_of(one)); });
    each(object, "attributes", [&result](const Json& one) {
        const Json* const values = one.member("values");
        result.attributes.push_back(
            {text_at(one, "name"), values != nullptr ? texts_of(*values) : std::vector<std::string>()});
    });
    return result;
}

AssertionVerdict verify(const Assertion& assertion, const TokenRules& rules, std::int64_t now) {
    AssertionVerdict verdict;
    if (const auto status = admit(assertion, rules, now, verdict); !status) {
        verdict = {};
        verdict.reason = status.error().message;
        return verdict;
    }
    verdict.reason.clear();
    verdict.accepted = true;
    return verdict;
}

}  // namespace hoopguard::identify
