// Whoever speaks by a verified token: what the provider says of the subject, and the role that policy gives it.
#pragma once

#include "identify/actor.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::identify {

struct Bearer {
    std::string provider;
    std::string subject;
    std::string on_behalf_of;
    std::string token_id;
    std::string claims;  // a JSON object
    std::vector<std::string> groups;
    ActorKind kind = ActorKind::kHuman;
    std::string mapped_role;      // that policy gives
    std::string role;             // of the session: that one, or one of its own that is a member of it
    bool temporary = false;       // policy wants a role of the session's own
    bool own_role = false;        // the session has one
    std::int64_t expires_at = 0;  // seconds since 1970-01-01 UTC
    std::uint32_t role_oid = 0;   // once known
};

// As one process hands it to another. Texts that are not UTF-8 come back with U+FFFD in them; what to_json() did
// not write comes back as far as it can be read.
std::string to_json(const Bearer& bearer);
Bearer bearer_from_json(std::string_view json);

}  // namespace hoopguard::identify
