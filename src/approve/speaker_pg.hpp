// Who speaks to the broker: what requests and decisions are filed under.
#pragma once

#include "identify/actor.hpp"
#include "identify/session.hpp"

#include <string>
#include <string_view>

namespace hoopguard::approve {

// A JSON object: provider, actor, kind, on_behalf_of, login_role, own_role, role, database, session_id,
// client_addr, application_name, superuser, roles (all memberships of whoever logged in). Whoever logged in is
// meant, whatever SET ROLE or a SECURITY DEFINER function says; `role` alone is the current one. May throw
// pg::Error.
std::string speaker_json(const identify::Actor& actor, const identify::Session& session);

// Text of this database's encoding as UTF-8, and back. May throw pg::Error.
std::string to_utf8(std::string_view text);
std::string from_utf8(std::string_view text);

}  // namespace hoopguard::approve
