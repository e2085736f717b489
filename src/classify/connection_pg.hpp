// What a connection asks for by itself: to be a walsender, to begin with settings of its own.
#pragma once

#include "classify/footprint.hpp"
#include "pg/compat.hpp"

namespace hoopguard::classify {

// Class replication for a walsender, config for protected settings in the startup packet (PGOPTIONS). May throw
// pg::Error.
Footprint classify_connection(const Port* port);

// Class login, of a database.
Footprint classify_login(const char* database);

}  // namespace hoopguard::classify
