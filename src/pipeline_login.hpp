// Deciding about a connection: whether it may be made at all, walsenders, whose commands no hook sees, and
// settings that come with the startup packet, before there is any statement.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard {

// A client has authenticated. Throws pg::Refusal when a guardrail keeps it from what its connection asks for, or
// (55000) when the policy cannot be had.
void decide_login(const Port* port);

// login() has somebody else speak in this session, who must be let into its database too. Throws pg::Refusal.
void decide_login_by_token();

}  // namespace hoopguard
