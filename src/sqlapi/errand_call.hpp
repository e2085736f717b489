// Having one statement done in another database of the cluster by a worker (identify/errand_pg.hpp), and waiting
// for it.
#pragma once

#include "identify/errand_pg.hpp"
#include "pg/prelude.hpp"

namespace hoopguard::sqlapi {

// An order in the name of whoever speaks here, with its owner's rights; the database and the owner are still to be
// named. May throw pg::Error.
identify::ErrandOrder order_of(bool read_only);

// Does it and returns the rows as JSON, palloc'ed, in this database's encoding. `bearer`: the asker's token, or
// null. Raises what was raised there; ends with this session. Holds no C++ objects: call it inside pg::call.
const char* run_errand(identify::ErrandOrder order, const char* database, const char* statement,
                       const char* bearer);

// Who owns a function: of one of the extension's, the extension's owner. For pg::call.
Oid owner_of(Oid function);

}  // namespace hoopguard::sqlapi
