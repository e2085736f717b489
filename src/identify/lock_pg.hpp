// Whether the speaker of this backend is locked out, by the policy in force.
#pragma once

#include "identify/actor.hpp"
#include "pg/prelude.hpp"

namespace hoopguard::identify {

// Whether nothing `actor` says may be done. Costs two comparisons while neither policy nor session changes and
// nobody is locked. When the policy cannot be had nobody counts as locked: whoever decides refuses then. May throw
// pg::Error.
bool is_locked(const Actor& actor);

// The same for a client that logs in: throws pg::Refusal (28000) when it is locked out. Reads no catalog.
void refuse_locked_login(const Actor& actor, std::string_view login_role);

// What a locked actor is told.
inline constexpr const char* kLockedHint = "A member of hoopguard_admin can unlock it: hoopguard.unlock_actor().";

}  // namespace hoopguard::identify
