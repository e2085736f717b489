// A worker's transaction with SPI in it, and whether the database it works in has what it calls. May raise
// PostgreSQL errors, and holds no C++ objects: call them inside pg::call.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "utils/catcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace hoopguard::pg {

inline void begin_worker_transaction() {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    SPI_connect();
}

inline void commit_worker_transaction() {
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
}

// Within a transaction: whether schema hoopguard has a function of that name. A control database need not have the
// extension, nor one of this version.
inline bool has_own_function(const char* name) {
    Oid const schema = get_namespace_oid("hoopguard", true);
    if (!OidIsValid(schema)) return false;
    CatCList* const list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
    bool found = false;
    for (int i = 0; i < list->n_members && !found; ++i)
        found = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&list->members[i]->tuple))->pronamespace == schema;
    ReleaseCatCacheList(list);
    return found;
}

}  // namespace hoopguard::pg
