// Ways to the stored bytes themselves, around every query: server files, programs, replication. Nothing masks what
// they give, so masked actors do not have them, whatever privileges they hold.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::mask {

// Whether a function reads server files, pages, or the write-ahead log. Cheap for one that was asked about before.
bool reads_storage(Oid function);
// Whether it was found lately not to: a look at a table.
bool is_known_harmless(Oid function) noexcept;

// Refuses (42501) such a function to the actor last looked at, when it is masked.
void check_function(Oid function);

// Refuses (42501) a connection for replication by a role that any mask concerns.
void check_replication(const char* role);

}  // namespace hoopguard::mask
