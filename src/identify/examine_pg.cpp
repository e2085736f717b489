// From the text of a token to a bearer.
#include "identify/examine_pg.hpp"

#include "base/text.hpp"
#include "identify/key_cache.hpp"
#include "identify/mapping.hpp"
#include "identify/saml_pg.hpp"
#include "pg/boundary.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

namespace hoopguard::identify {
namespace {

using policy::ProviderField;

std::string keys_of(const policy::Row& provider) {
    if (!provider.is_null(ProviderField::kJwksUri)) {
        const auto file = policy::MappedFile::open(fetched_keys_path(provider.text(ProviderField::kName)));
        if (file && !file->bytes().empty()) return std::string(base::text_of(file->bytes()));
    }
    return std::string(provider.text(ProviderField::kJwks));
}

KeyCache& key_cache() {
    static KeyCache cache;
    return cache;
}

std::int64_t session_end(const policy::Row& provider, std::int64_t now) noexcept {
    const std::uint64_t longest = provider.word(ProviderField::kMaxSession);
    if (longest == policy::kUnlimited) return std::numeric_limits<std::int64_t>::max();
    return now + static_cast<std::int64_t>(longest / 1'000'000);
}

Examination admit_identity(const policy::Image& image, const policy::Row& provider, Identity& identity,
                           std::int64_t now) {
    Examination result;
    const std::string_view name = provider.text(ProviderField::kName);
    const auto mapping = map_role(image, name, identity);
    if (!mapping) {
        result.reason = "no row of hoopguard.role_map fits subject " + base::json_quoted(identity.subject) +
                        " of provider " + base::json_quoted(name);
        return result;
    }
    Bearer bearer;
    bearer.kind = kind_of(image, name, identity);
    bearer.expires_at = std::min(
        {identity.expires_at, session_end(provider, now), registered_until(image, name, identity.subject)});
    if (bearer.expires_at <= now) {
        result.reason = "the token or the registration of subject " + base::json_quoted(identity.subject) +
                        " leaves no time for a session";
        return result;
    }
    bearer.provider = name;
    bearer.role = bearer.mapped_role = mapping->role;
    bearer.temporary = mapping->temporary;
    bearer.subject = std::move(identity.subject);
    bearer.on_behalf_of = std::move(identity.on_behalf_of);
    bearer.token_id = std::move(identity.token_id);
    bearer.claims = std::move(identity.claims);
    bearer.groups = std::move(identity.groups);
    result.bearer = std::move(bearer);
    return result;
}

Examination examine_saml(const policy::Image& image, const std::string& response) {
    const std::int64_t now = std::time(nullptr);
    SamlVerdict verdict = verify_saml_response(image, response, now);
    if (verdict.provider) return admit_identity(image, *verdict.provider, verdict.identity, now);
    Examination result;
    result.reason = std::move(verdict.reason);
    return result;
}

}  // namespace

std::string fetched_keys_path(std::string_view provider) {
    return policy::store().directory() + "/keys-" + base::to_hex(base::bytes_of(provider)) + ".json";
}

Examination examine(std::string_view token) {
    Examination result;
    const policy::Image* const image = policy::in_force();
    if (image == nullptr) {
        result.reason = "the cluster knows no identity provider";
        return result;
    }
    if (const auto response = as_saml_response(token)) return examine_saml(*image, *response);
    const auto parsed = SignedText::parse(token);
    if (!parsed) {
        result.reason = parsed.error().message;
        return result;
    }
    const std::int64_t now = std::time(nullptr);
    const std::string issuer = claimed_issuer(*parsed);
    result.reason = "no enabled provider has issuer " + base::json_quoted(issuer.substr(0, 255));
    const policy::Section providers = image->section(policy::SectionId::kProviders);
    for (std::uint32_t i = 0; i < providers.size(); ++i) {
        const policy::Row provider = providers[i];
        if (provider.word(ProviderField::kEnabled) == 0 || provider.text(ProviderField::kKind) != "oidc" ||
            issuer.empty() || provider.text(ProviderField::kIssuer) != issuer)
            continue;
        const std::string json = keys_of(provider);
        const auto& keys = key_cache().keys(json, parsed->key_id);
        if (!keys) {
            result.reason = keys.error().message;
            continue;
        }
        Verdict verdict = verify(*parsed, *keys, rules_of(provider), now);
        if (verdict.verified()) return admit_identity(*image, provider, verdict.identity, now);
        if (verdict.outcome == Verdict::Outcome::kUnknownKey && !provider.is_null(ProviderField::kJwksUri))
            policy::ask_for_keys();
        result.reason = std::move(verdict.reason);
    }
    return result;
}

Examination examine_again(std::string_view provider, Identity identity) {
    Examination result;
    result.reason = "provider " + base::json_quoted(provider) + " is gone or disabled";
    const policy::Image* const image = policy::in_force();
    if (image == nullptr) return result;
    const policy::Section providers = image->section(policy::SectionId::kProviders);
    for (std::uint32_t i = 0; i < providers.size(); ++i)
        if (providers[i].word(ProviderField::kEnabled) != 0 && providers[i].text(ProviderField::kName) == provider)
            return admit_identity(*image, providers[i], identity, std::time(nullptr));
    return result;
}

}  // namespace hoopguard::identify
