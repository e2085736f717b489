// Tables found to be analyzed, as long as no statistics change.
#include "classify/analyzed_pg.hpp"

#include "base/remembered.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/attnum.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

constexpr AttrNumber kColumnsLookedAt = 4;

base::Remembered<Oid, 64> analyzed;
bool listening = false;

bool has_statistics(Oid relation) {
    for (AttrNumber column = 1; column <= kColumnsLookedAt; ++column)
        for (bool const inherited : {false, true})
            if (SearchSysCacheExists3(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(column),
                                      BoolGetDatum(inherited)))
                return true;
    return false;
}

}  // namespace

extern "C" {

static void hoopguard_statistics_changed(Datum, int, uint32) {
    analyzed.clear();
}

}  // extern "C"

[[gnu::hot]] bool is_analyzed(Oid relation) {
    if (!OidIsValid(relation)) return false;
    if (analyzed.has(relation)) return true;
    bool const found = pg::call([relation] {
        if (!listening) CacheRegisterSyscacheCallback(STATRELATTINH, hoopguard_statistics_changed, Datum{0});
        listening = true;
        return has_statistics(relation);
    });
    if (found) analyzed.add(relation);
    return found;
}

}  // namespace hoopguard::classify
