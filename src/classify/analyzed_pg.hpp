// Whether the planner's estimates for a table rest on what ANALYZE found in it.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::classify {

// Tuples may be counted by VACUUM or an index build; what a condition keeps only ANALYZE can tell. Asked for at
// every statement: what is known is kept until some table's statistics change. May throw pg::Error.
bool is_analyzed(Oid relation);

}  // namespace hoopguard::classify
