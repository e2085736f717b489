// The journal's entries about requests, decisions and grants.
#pragma once

#include "base/json.hpp"

namespace hoopguard::workers {

// Writes what `answer`'s member "journal" says, an array of objects, and returns when it is durable. Each has
// "type" (request, decision, grant, revoke, alert) and, as it has to say: statement, classes, objects, guardrail,
// request_id, reason, login_role, effective_role, database, actor, actor_kind, provider, client_addr, approval
// (the request), decided_by, detail, subject. Throws pg::Refusal when the journal takes none.
void write_entries(const base::Json& answer);

}  // namespace hoopguard::workers
