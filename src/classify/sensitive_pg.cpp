// Asks whoever knows which columns are classified.
#include "classify/sensitive_pg.hpp"

#include "pg/boundary.hpp"

namespace hoopguard::classify {

namespace {

SelectsClassified selects_classified = nullptr;

}  // namespace

void know_classified(SelectsClassified selects) {
    selects_classified = selects;
}

[[gnu::hot]] ClassSet sensitivity(Oid relation, const Bitmapset* selected) {
    if (selects_classified == nullptr || selected == nullptr) return {};
    bool const classified = pg::call([=] { return selects_classified(relation, selected); });
    return classified ? ClassSet(StatementClass::kReadSensitive) : ClassSet();
}

}  // namespace hoopguard::classify
