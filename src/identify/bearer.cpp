// A bearer as text: what its session's errands in other databases speak by.
#include "identify/bearer.hpp"

#include "base/json.hpp"
#include "base/json_writer.hpp"

namespace hoopguard::identify {

namespace {

std::string text_of(const base::Json& json, std::string_view name) {
    auto const* const value = json.member(name);
    return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
}

std::uint64_t number_of(const base::Json& json, std::string_view name) {
    auto const* const value = json.member(name);
    return value != nullptr && value->number() != nullptr ? *value->number() : 0;
}

bool truth_of(const base::Json& json, std::string_view name) {
    auto const* const value = json.member(name);
    return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

ActorKind kind_of(std::string_view word) {
    for (auto const kind : {ActorKind::kAgent, ActorKind::kService})
        if (word == to_text(kind)) return kind;
    return ActorKind::kHuman;
}

}  // namespace

std::string to_json(const Bearer& bearer) {
    base::JsonWriter json;
    json.text("provider", bearer.provider);
    json.text("subject", bearer.subject);
    json.text_if_any("on_behalf_of", bearer.on_behalf_of);
    json.text_if_any("token_id", bearer.token_id);
    json.text_if_any("claims", bearer.claims);
    json.texts("groups", bearer.groups);
    json.text("kind", to_text(bearer.kind));
    json.text("mapped_role", bearer.mapped_role);
    json.text("role", bearer.role);
    json.boolean("temporary", bearer.temporary);
    json.boolean("own_role", bearer.own_role);
    json.number("expires_at", bearer.expires_at);
    json.number("role_oid", bearer.role_oid);
    return json.object();
}

Bearer bearer_from_json(std::string_view json) {
    Bearer bearer;
    auto const read = base::Json::parse(json);
    if (!read) return bearer;
    bearer.provider = text_of(*read, "provider");
    bearer.subject = text_of(*read, "subject");
    bearer.on_behalf_of = text_of(*read, "on_behalf_of");
    bearer.token_id = text_of(*read, "token_id");
    bearer.claims = text_of(*read, "claims");
    if (auto const* const groups = read->member("groups"); groups != nullptr && groups->array() != nullptr)
        for (auto const& group : *groups->array())
            if (group.text() != nullptr) bearer.groups.push_back(*group.text());
    bearer.kind = kind_of(text_of(*read, "kind"));
    bearer.mapped_role = text_of(*read, "mapped_role");
    bearer.role = text_of(*read, "role");
    bearer.temporary = truth_of(*read, "temporary");
    bearer.own_role = truth_of(*read, "own_role");
    bearer.expires_at = static_cast<std::int64_t>(number_of(*read, "expires_at"));
    bearer.role_oid = static_cast<std::uint32_t>(number_of(*read, "role_oid"));
    return bearer;
}

}  // namespace hoopguard::identify
