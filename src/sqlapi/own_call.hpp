// Whether the client itself calls a function.
#pragma once

namespace hoopguard::sqlapi {

// Throws pg::Refusal (42501) unless the client's own statement calls hoopguard's function of that name. Else a
// view, a function or a trigger of the agent's could make somebody who only looks at a table do with his rights
// what he has never seen.
void require_own_call(const char* name);

}  // namespace hoopguard::sqlapi
