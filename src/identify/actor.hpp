// Who speaks. An actor is a database role, or (with a provider) the subject of an identity provider.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hoopguard::identify {

enum class ActorKind : std::uint8_t { kHuman, kAgent, kService };

constexpr std::string_view to_text(ActorKind kind) {
    switch (kind) {
        case ActorKind::kAgent: return "agent";
        case ActorKind::kService: return "service";
        case ActorKind::kHuman: break;
    }
    return "human";
}

// The roles are PostgreSQL OIDs. The texts belong to the session and live until its actor changes.
struct Actor {
    std::string_view provider;  // empty: a database role
    std::string_view name;      // the role's name, or the token's subject
    ActorKind kind = ActorKind::kHuman;
    bool guarded = false;              // an agent: masks without roles cover it
    bool superuser = false;            // of the login role
    std::uint32_t login_role = 0;      // session_user
    std::uint32_t effective_role = 0;  // current_user
    std::uint32_t outer_role = 0;      // current_user outside of any SECURITY DEFINER function: what SET ROLE said
    std::uint32_t own_role = 0;        // made for this session alone, which speaks as it; 0: none
    std::span<const std::string> groups;  // of the identity provider, without "group:"
    std::string_view on_behalf_of;        // whom the subject speaks for; empty: itself
    std::string_view token_id;
    std::int64_t expires_at = 0;    // seconds since 1970-01-01 UTC; 0: never
    std::string_view definer_role;  // its name, when a SECURITY DEFINER function set it; otherwise empty
};

}  // namespace hoopguard::identify
