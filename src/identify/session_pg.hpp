// The speaker of this backend: found at the first statement, found again whenever roles or policy change.
#pragma once

#include "identify/actor.hpp"
#include "pg/prelude.hpp"

namespace hoopguard::identify {

// The session's id in the journal: start second << 32 | pid, unique for the life of a server.
std::uint64_t session_id() noexcept;

// Who speaks now. Cheap when nothing changed. Valid until the next call. May throw pg::Error.
const Actor& current_actor();

// A superuser who came over a local socket: never refused for a fault of hoopguard's own.
bool is_rescuer() noexcept;

}  // namespace hoopguard::identify
