// What of the server's state a person or the rule of waiting needs to know.
#pragma once

#include "pg/compat.hpp"

#include <string>

namespace hoopguard::approve {

// Whether this transaction would hinder others if it waited: it has a transaction id, or holds a lock above ROW
// EXCLUSIVE, or interrupts are held. May throw pg::Error.
bool hinders_others();

// The plan as EXPLAIN shows it, cut at 64 kB. Raises what the statement itself would for want of privileges. May
// throw pg::Error.
std::string plan_text(const QueryDesc* query);

}  // namespace hoopguard::approve
