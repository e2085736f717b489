// Deciding about a connection: walsenders, whose commands no hook sees, and settings that come with the startup
// packet, before there is any statement.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard {

// A client has authenticated. Throws pg::Refusal when a guardrail keeps it from what its connection asks for, or
// (55000) when the policy cannot be had.
void decide_login(const Port* port);

}  // namespace hoopguard
