// Whether what a statement reads is classified. Which columns are is known further up, by the masks: they say so
// here when the library is loaded.
#pragma once

#include "classify/footprint.hpp"
#include "pg/prelude.hpp"

extern "C" {
#include "nodes/bitmapset.h"
}

namespace hoopguard::classify {

// Whether one of the columns of `relation` that `selected` holds, as range table entries have them, is classified.
// May raise a PostgreSQL error: it is called inside pg::call.
using SelectsClassified = bool (*)(Oid relation, const Bitmapset* selected);
void know_classified(SelectsClassified selects);

// The same as it said; false until somebody does.
bool selects_classified(Oid relation, const Bitmapset* selected);

}  // namespace hoopguard::classify
