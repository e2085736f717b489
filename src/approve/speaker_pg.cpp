// The speaker as a JSON object.
#include "approve/speaker_pg.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "decide/memberships_pg.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"

#include <cstdio>
#include <vector>

extern "C" {
#include "mb/pg_wchar.h"
}

namespace hoopguard::approve {

namespace {

std::string converted(std::string_view text, int from, int to) {
    if (text.empty() || from == to || base::is_ascii(text)) return std::string(text);
    struct Piece {
        const char* bytes;
        std::size_t size;
    };
    auto const piece = pg::call([=] {
        auto* const copy = pnstrdup(text.data(), text.size());
        auto* const done = reinterpret_cast<char*>(pg_do_encoding_conversion(
            reinterpret_cast<unsigned char*>(copy), static_cast<int>(text.size()), from, to));
        return Piece{done, done == copy ? text.size() : strlen(done)};
    });
    return std::string(piece.bytes, piece.size);
}

std::string name_of(Oid role) {
    return pg::call([role]() -> const char* {
        auto const* const name = GetUserNameFromId(role, true);
        return name != nullptr ? name : "";
    });
}

}  // namespace

std::string to_utf8(std::string_view text) {
    return converted(text, GetDatabaseEncoding(), PG_UTF8);
}

std::string from_utf8(std::string_view text) {
    return converted(text, PG_UTF8, GetDatabaseEncoding());
}

std::string speaker_json(const identify::Actor& actor, const identify::Session& session) {
    auto const id = identify::session_id();
    base::JsonWriter json;
    json.text_if_any("provider", to_utf8(actor.provider));
    json.text("actor", to_utf8(actor.name));
    json.text("kind", to_text(actor.kind));
    json.text_if_any("on_behalf_of", to_utf8(actor.on_behalf_of));
    json.text("login_role", to_utf8(session.login_role));
    if (OidIsValid(actor.own_role)) json.text("own_role", to_utf8(name_of(actor.own_role)));
    json.text("role", to_utf8(name_of(actor.effective_role)));
    json.text("database", to_utf8(session.database));
    char id_text[32];
    std::snprintf(id_text, sizeof id_text, "%x.%x", static_cast<unsigned>(id >> 32), static_cast<unsigned>(id));
    json.text("session_id", id_text);
    json.text_if_any("client_addr", session.client_address);
    json.text_if_any("application_name", to_utf8(session.application_name));
    json.boolean("superuser", actor.superuser);
    std::vector<std::string> roles;
    // What its token makes it, not what others who share its login role are.
    for (auto const& role : decide::memberships(identify::speaking_role())) roles.push_back(to_utf8(role));
    for (auto const& group : actor.groups) roles.push_back("group:" + group);
    json.texts("roles", roles);
    return json.object();
}

}  // namespace hoopguard::approve
