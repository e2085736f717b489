// Entries about changes of policy.
#pragma once

#include "identify/actor.hpp"
#include "pg/prelude.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::record {

// Records that the current transaction changed `subject` (a table and a row's name) from `before` to `after`, each
// as JSON; nothing before: it is new; nothing after: it is gone. Throws pg::Refusal when it cannot be recorded.
void record_policy_change(const identify::Actor& actor, std::string_view subject,
                          const std::optional<std::string>& before, const std::optional<std::string>& after);

}  // namespace hoopguard::record
