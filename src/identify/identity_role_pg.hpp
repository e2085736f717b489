// Roles that come with an identity: which may not be used without one.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard::identify {

// How a login role stands to identities.
struct IdentityRole {
    bool needs_token_to_log_in = false;
    bool needs_token_to_speak = false;  // may log in by its own means, but then only bring a token
    bool pooled = false;                // brings tokens for a transaction alone
};

// A role named in hoopguard.role_map, or a member of one, needs a token to log in; registered in hoopguard.actor
// as a person or a service of its own, a member does not, and registered as pooled it needs one to speak. A
// superuser never does. May throw pg::Refusal (the policy cannot be had) and pg::Error.
IdentityRole identity_role(Oid role);

}  // namespace hoopguard::identify
