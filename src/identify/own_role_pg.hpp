// A role of a session's own (session_role => 'temporary'): a member of the role that policy maps, so that
// pg_stat_activity and current_user tell sessions apart, and what one of them makes is known as its own.
//
// The broker makes it in a transaction of its own, and removes it when the session is over, however that came
// about (workers/role_reaper.cpp).
#pragma once

#include "identify/bearer.hpp"

#include <cstdint>
#include <string>

namespace hoopguard::identify {

// Has the bearer's role made if policy wants one for the session alone; the same bearer gets the same role again.
// On a standby, where no role can be made and nobody can own anything, the bearer keeps the mapped role. Throws
// pg::Refusal when the broker cannot make it, and pg::Error.
void take_own_role(Bearer& bearer);

// A role with a password for logging in by itself, a member of `bearer`'s mapped role, until `valid_until`
// (seconds since 1970-01-01 UTC). `verifier` is what PostgreSQL keeps of the password.
struct MadeRole {
    std::string name;
    std::uint32_t oid = 0;
};
MadeRole make_login_role(const Bearer& bearer, const std::string& verifier, std::int64_t valid_until);

// Shows the session under the bearer's own role in pg_stat_activity, or under its login role. Raises nothing.
void show_role(const Bearer* bearer) noexcept;

}  // namespace hoopguard::identify
