// The calls that stand for masks in a query: making them, and telling them from every other call. SQL cannot write
// one: their last argument is of a type that no input makes (hoopguard.mask_spec).
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/in_force_pg.hpp"

extern "C" {
#include "nodes/primnodes.h"
}

namespace hoopguard::mask {

// Looks the functions up in this database; raises 55000 when the extension is not there, unless that may be.
bool find_mask_functions(bool missing_ok = false);

// What of `relation`'s row or column `var` shows, masked: same type, typmod and collation. `columns` must not be
// null. A column that is not masked comes back as it is.
Node* masked_reference(const Var* var, const MaskedColumns* columns);

// The same reference marked as one that is meant to be raw.
Node* passed_reference(const Var* var);

// A column of pg_statistic or pg_statistic_ext_data that shows values, null where they are values of a masked
// column; `var` itself for any other column. `relation`: the catalog.
Node* masked_statistic(const Var* var, Oid relation);

enum class CallKind { kOther, kMask, kPass };
// Whether `call` masks its first argument, or passes it on purpose. Says kOther where the functions are not known.
CallKind kind_of(const FuncExpr* call);

// Whether `call` is hoopguard.mask over one value, with a method that shows less; and how it masks.
bool is_value_mask(const FuncExpr* call);
MaskSpec spec_of(const FuncExpr* mask);

void watch_mask_functions();

}  // namespace hoopguard::mask
