// Choosing roles, kinds and rules from the policy image.
#include "identify/mapping.hpp"

#include "policy/glob.hpp"

#include <algorithm>
#include <limits>

namespace hoopguard::identify {
namespace {

using policy::ActorField;
using policy::ProviderField;
using policy::RoleMapField;

std::optional<policy::Row> registration(const policy::Image& image, std::string_view provider,
                                        std::string_view subject) noexcept {
    const policy::Section actors = image.section(policy::SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        const policy::Row row = actors[i];
        if (!row.is_null(ActorField::kProvider) && row.text(ActorField::kProvider) == provider &&
            row.text(ActorField::kName) == subject)
            return row;
    }
    return std::nullopt;
}

bool value_matches(const base::Json& value, std::string_view glob) {
    if (const auto* const text = value.text()) return policy::glob_matches(glob, *text);
    if (const auto* const flag = value.boolean()) return glob == (*flag ? "true" : "false");
    if (const auto* const number = value.number()) return policy::glob_matches(glob, std::to_string(*number));
    const auto* const list = value.array();
    return list != nullptr && std::ranges::any_of(*list, [glob](const base::Json& one) {
               return one.text() != nullptr && policy::glob_matches(glob, *one.text());
           });
}

bool claims_match(std::string_view wanted, const std::string& claims) {
    const auto globs = base::Json::parse(wanted);
    const auto have = base::Json::parse(claims);
    const auto* const members = globs ? globs->object() : nullptr;
    if (members == nullptr || members->empty() || !have) return false;
    return std::ranges::all_of(*members, [&have](const auto& member) {
        const base::Json* const value = claim_at(*have, member.first);
        return value != nullptr && member.second.text() != nullptr && value_matches(*value, *member.second.text());
    });
}

std::optional<ActorKind> parse_kind(std::string_view text) noexcept {
    for (const ActorKind kind : {ActorKind::kHuman, ActorKind::kAgent, ActorKind::kService})
        if (text == to_text(kind)) return kind;
    return std::nullopt;
}

}  // namespace

std::optional<Mapping> map_role(const policy::Image& image, std::string_view provider, const Identity& identity) {
    const policy::Section maps = image.section(policy::SectionId::kRoleMaps);
    for (std::uint32_t i = 0; i < maps.size(); ++i) {
        const policy::Row row = maps[i];
        if (row.text(RoleMapField::kProvider) != provider) continue;
        if (!row.is_null(RoleMapField::kGroup) &&
            std::ranges::find(identity.groups, row.text(RoleMapField::kGroup)) == identity.groups.end())
            continue;
        if (!row.is_null(RoleMapField::kClaims) && !claims_match(row.text(RoleMapField::kClaims), identity.claims))
            continue;
        if (row.is_null(RoleMapField::kGroup) && row.is_null(RoleMapField::kClaims)) continue;
        return Mapping{row.text(RoleMapField::kRole), row.word(RoleMapField::kTemporary) != 0};
    }
    return std::nullopt;
}

ActorKind kind_of(const policy::Image& image, std::string_view provider, const Identity& identity) {
    if (const auto row = registration(image, provider, identity.subject))
        return parse_kind(row->text(ActorField::kKind)).value_or(ActorKind::kHuman);
    const auto claims = base::Json::parse(identity.claims);
    const base::Json* const claim = claims ? claims->member("actor_kind") : nullptr;
    if (claim != nullptr && claim->text() != nullptr)
        if (const auto kind = parse_kind(*claim->text())) return *kind;
    return identity.on_behalf_of.empty() ? ActorKind::kHuman : ActorKind::kAgent;
}

TokenRules rules_of(const policy::Row& provider) {
    TokenRules rules;
    rules.issuer = provider.text(ProviderField::kIssuer);
    for (const auto audience : provider.texts(ProviderField::kAudience)) rules.audience.emplace_back(audience);
    for (const auto name : provider.texts(ProviderField::kAlgorithms))
        if (const auto algorithm = crypto::parse_token_algorithm(name)) rules.algorithms.push_back(*algorithm);
    rules.subject_claim = provider.text(ProviderField::kSubjectClaim);
    rules.groups_claim = provider.text(ProviderField::kGroupsClaim);
    rules.delegation_claim = provider.text(ProviderField::kDelegationClaim);
    return rules;
}

std::int64_t registered_until(const policy::Image& image, std::string_view provider,
                              std::string_view subject) noexcept {
    const auto row = registration(image, provider, subject);
    if (!row || row->word(ActorField::kExpiresAt) == policy::kUnlimited)
        return std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(row->word(ActorField::kExpiresAt)) / 1'000'000;
}

}  // namespace hoopguard::identify
