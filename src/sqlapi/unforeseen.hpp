// What a statement does that nobody can tell before it runs.
#pragma once

#include "pg/prelude.hpp"

#include <string>
#include <vector>

extern "C" {
#include "nodes/parsenodes.h"
}

namespace hoopguard::sqlapi {

// Adds what `query` calls that runs statements of its own: functions in procedural languages, DO, CALL, the
// query of a materialised view. Each once. May throw pg::Error.
void find_unforeseen(Query* query, std::vector<std::string>& out);

}  // namespace hoopguard::sqlapi
