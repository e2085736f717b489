// Entries about sessions: logins, refused connections, who speaks, and the end.
#pragma once

#include "identify/actor.hpp"
#include "identify/session.hpp"
#include "pg/prelude.hpp"
#include "record/journal_pg.hpp"

#include <string_view>

namespace hoopguard::record {

// Records that the client proved to be who it says, and has its end recorded when the process exits.
// Throws pg::Refusal when it cannot be recorded.
void record_login(const identify::Actor& actor, const identify::Session& session);

// Records a connection that was turned away. Reads no catalog.
void record_login_failure(const identify::Actor& actor, const identify::Session& session, int sqlstate,
                          std::string_view error) noexcept;

// The position of an entry that describes the session as it is; appends one when what was written last no
// longer holds, or lies so far back that retention may remove it before the statements that point to it.
std::uint64_t session_context(const identify::Actor& actor, const identify::Session& session, Room room);

}  // namespace hoopguard::record
