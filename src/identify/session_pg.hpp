// The speaker of this backend: learned when it logs in, looked at again whenever a statement begins.
#pragma once

#include "identify/actor.hpp"
#include "identify/session.hpp"
#include "pg/compat.hpp"
#include "policy/image.hpp"

namespace hoopguard::identify {

// The session's id in the journal: start second << 32 | pid, unique for the life of a server.
std::uint64_t session_id() noexcept;

// Whether what this process runs is to be recorded: not a parallel worker's share of a statement that its
// leader recorded, and not what hoopguard's own workers do for themselves.
bool is_recorded_process() noexcept;

// Takes over what a connection says of itself; before it has authenticated, and again afterwards. Reads no
// catalog.
void learn_connection(const Port* port) noexcept;

// Looks up whether the role that a client logs in as is a superuser; before it has a session. May throw pg::Error.
void learn_login_role(const Port* port);

// Takes over the subject of the token that the connection was admitted by, if it was.
void learn_bearer() noexcept;

// Who speaks now. Cheap when nothing changed; looks names up in the catalog when something did, unless the
// transaction has failed. Valid until the next call. May throw pg::Error.
const Actor& current_actor();

// Speaker and session as they were when last looked at; these read no catalog.
const Actor& known_actor() noexcept;
const Session& known_session() noexcept;

// A superuser who came over a local socket: never refused for a fault of hoopguard's own.
bool is_rescuer() noexcept;

// The policy that this session is judged by: the one in force, or none for a rescuer when it cannot be had. Throws
// as policy::in_force() does for everyone else.
const policy::Image* policy_for_session();

}  // namespace hoopguard::identify
