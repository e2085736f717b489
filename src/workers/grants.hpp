// The broker's care of just-in-time grants: each ends when it is due, with its membership, its sessions and what
// runs by it.
#pragma once

#include "policy/tables.hpp"

#include <vector>

namespace hoopguard::workers {

// Every round of a primary's broker: ends the grants that are over, in a transaction of its own. May throw
// pg::Error, which leaves it to the next round.
void end_due_grants();
// The policy has changed: somebody may be locked out.
void look_at_grants_again() noexcept;
// How long the broker may sleep for all that grants need; at most `longest`.
long milliseconds_until_next_grant_ends(long longest);
bool any_grant_in_force() noexcept;

// The policy with these grants is in force: whatever rests on others has lost them.
void note_grants_in_force(const std::vector<policy::Grant>& grants);

}  // namespace hoopguard::workers
