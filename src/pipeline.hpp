// The sentence that hoopguard is: identify, classify, decide, record, then refuse or run masked.
#pragma once

#include "classify/statement_pg.hpp"

#include <cstdint>

namespace hoopguard {

// Puts `statement` through every stage. Returns its number in the session's journal; throws pg::Refusal when
// it may not run or cannot be recorded.
std::uint64_t admit(const classify::Statement& statement);

}  // namespace hoopguard
