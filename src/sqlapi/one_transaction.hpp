// What a script of one transaction may hold.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "nodes/nodes.h"
}

namespace hoopguard::sqlapi {

// Why a raw statement cannot be one of several in a transaction, to be read after "a command that"; null: it can,
// as far as its text tells (of partitioned tables and of procedures that commit it does not). Holds no C++
// objects.
const char* obstacle_to_one_transaction(const Node* statement);

}  // namespace hoopguard::sqlapi
