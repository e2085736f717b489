// Which approvals were used, as the journal has it: its entry of a use is durable before the row, and rules.
#pragma once

#include "base/json.hpp"

#include <optional>
#include <string>

namespace hoopguard::workers {

// The letter to hoopguard.broker_replay about what hoopguard.broker_list_unused answered; nothing when there is
// nothing to find out. Where the journal cannot be read the letter says so. Throws pg::Refusal when its newest
// entries are not there yet.
std::optional<std::string> uses_on_record(const base::Json& unused);

}  // namespace hoopguard::workers
