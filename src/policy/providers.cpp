// What may stand in hoopguard.provider and hoopguard.role_map, and how the image holds it.
#include "policy/providers.hpp"

#include "base/json.hpp"
#include "policy/image_writer.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace hoopguard::policy {

namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestUri = 2048;
constexpr std::string_view kKnownAlgorithms = "RS256, PS256, ES256, ES384, EdDSA";
constexpr std::array<std::string_view, 5> kAlgorithms = {"RS256", "PS256", "ES256", "ES384", "EdDSA"};
constexpr std::string_view kKnownSamlAlgorithms = "RS256, RS384, RS512, ES256, ES384, ES512, at least one";
constexpr std::array<std::string_view, 6> kSamlAlgorithms = {"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"};

using Objections = std::optional<Objection>;

Objections object(std::string_view column, std::string_view value, std::string_view allowed) {
    return Objection{std::string(column), std::string(value), std::string(allowed)};
}

bool is_https(std::string_view uri) noexcept {
    return uri.starts_with("https://") && uri.size() > 8 && uri.size() <= kLongestUri &&
           std::ranges::none_of(uri, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

template <class Names>
bool is_in(const Names& names, std::string_view name) noexcept {
    return std::ranges::find(names, name) != names.end();
}

// The names that tokens have for algorithms may stand there too, as they do when nothing is said; no SAML response
// is signed by one that XML signatures lack.
Objections check_saml_keys(const Provider& row) {
    if (!row.jwks)
        return object("jwks", "NULL", "the certificates of the provider, from hoopguard.certificate_keys(...)");
    if (row.jwks_uri)
        return object("jwks_uri", *row.jwks_uri, "NULL: the certificates of a SAML provider are pinned");
    bool usable = false;
    for (const auto& algorithm : row.algorithms) {
        const bool known = is_in(kSamlAlgorithms, algorithm);
        if (!known && !is_in(kAlgorithms, algorithm)) return object("algorithms", algorithm, kKnownSamlAlgorithms);
        usable = usable || known;
    }
    if (!usable)
        return object("algorithms", row.algorithms.empty() ? "{}" : row.algorithms.front(), kKnownSamlAlgorithms);
    return {};
}

Objections check_keys(const Provider& row) {
    if (!row.jwks && !row.jwks_uri) return object("jwks", "NULL", "a JSON Web Key Set, or jwks_uri in its place");
    if (row.jwks_uri && !is_https(*row.jwks_uri))
        return object("jwks_uri", *row.jwks_uri, "an https:// address; or NULL");
    for (const auto& algorithm : row.algorithms)
        if (!is_in(kAlgorithms, algorithm)) return object("algorithms", algorithm, kKnownAlgorithms);
    if (row.algorithms.empty()) return object("algorithms", "{}", kKnownAlgorithms);
    return {};
}

// Globs by the names of claims.
Objections check_claims(const std::optional<std::string>& claims) {
    constexpr std::string_view kAllowed =
        R"(an object of texts, such as {"repository": "shop/*"}, at least one; or NULL)";
    if (!claims) return {};
    const auto document = base::Json::parse(*claims);
    const auto* const members = document ? document->object() : nullptr;
    if (members == nullptr || members->empty()) return object("claims", *claims, kAllowed);
    for (const auto& [name, value] : *members)
        if (value.text() == nullptr) return object("claims", *claims, kAllowed);
    return {};
}

}  // namespace

std::optional<Objection> object_to(const Provider& row) {
    if (row.name.empty() || row.name.size() > kLongestName)
        return object("name", row.name, "a text of 1 to 128 bytes");
    if (row.kind != "oidc" && row.kind != "saml") return object("kind", row.kind, "oidc, saml");
    if (row.issuer.empty() || row.issuer.size() > kLongestUri)
        return object("issuer", row.issuer, "the issuer exactly as the tokens spell it");
    if (row.audience.empty())
        return object("audience", "{}", "the audience that tokens for this cluster name, at least one");
    for (const auto& audience : row.audience)
        if (audience.empty()) return object("audience", "", "texts that are not empty");
    for (const auto& [column, claim] :
         {std::pair("subject_claim", &row.subject_claim), std::pair("groups_claim", &row.groups_claim),
          std::pair("delegation_claim", &row.delegation_claim)})
        if (claim->empty()) return object(column, "", "the name of a claim, or a path such as realm_access.roles");
    if (row.max_session && *row.max_session <= 0)
        return object("max_session", std::to_string(*row.max_session) + " us", "an interval above 0; or NULL");
    return row.kind == "saml" ? check_saml_keys(row) : check_keys(row);
}

std::optional<Objection> object_to(const RoleMap& row) {
    if (row.provider.empty()) return object("provider", "", "the name of a provider");
    if (!row.group_name && !row.claims)
        return object("group_name", "NULL", "the name of a group, when claims is NULL");
    if (row.group_name && row.group_name->empty()) return object("group_name", "", "the name of a group; or NULL");
    if (row.role.empty()) return object("role", "", "an existing role");
    if (row.session_role != "mapped" && row.session_role != "temporary")
        return object("session_role", row.session_role, "mapped, temporary");
    return check_claims(row.claims);
}

void write_providers(ImageWriter& image, std::vector<Provider> rows) {
    using F = ProviderField;
    std::ranges::sort(rows, {}, &Provider::name);
    auto& section = image.section(SectionId::kProviders);
    for (const auto& row : rows) {
        section.add_row();
        section.text(F::kName, row.name);
        section.text(F::kKind, row.kind);
        section.text(F::kIssuer, row.issuer);
        section.texts(F::kAudience, row.audience);
        section.text(F::kJwks, row.jwks);
        section.text(F::kJwksUri, row.jwks_uri);
        section.texts(F::kAlgorithms, row.algorithms);
        section.text(F::kSubjectClaim, row.subject_claim);
        section.text(F::kGroupsClaim, row.groups_claim);
        section.text(F::kDelegationClaim, row.delegation_claim);
        section.word(F::kMaxSession, row.max_session ? static_cast<std::uint64_t>(*row.max_session) : kUnlimited);
        section.word(F::kEnabled, row.enabled ? 1 : 0);
    }
}

void write_role_maps(ImageWriter& image, std::vector<RoleMap> rows) {
    using F = RoleMapField;
    std::ranges::sort(rows, {}, [](const RoleMap& row) {
        return std::tie(row.provider, row.rank, row.role, row.group_name, row.claims);
    });
    auto& section = image.section(SectionId::kRoleMaps);
    for (const auto& row : rows) {
        section.add_row();
        section.text(F::kProvider, row.provider);
        section.text(F::kGroup, row.group_name);
        section.text(F::kClaims, row.claims);
        section.text(F::kRole, row.role);
        section.word(F::kTemporary, row.session_role == "temporary" ? 1 : 0);
        section.word(F::kRank, static_cast<std::uint64_t>(row.rank));
    }
}

}  // namespace hoopguard::policy
