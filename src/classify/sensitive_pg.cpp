// Asks whoever knows which columns are classified.
#include "classify/sensitive_pg.hpp"

namespace hoopguard::classify {

namespace {

SelectsClassified asked = nullptr;

}  // namespace

void know_classified(SelectsClassified selects) {
    asked = selects;
}

[[gnu::hot]] bool selects_classified(Oid relation, const Bitmapset* selected) {
    return asked != nullptr && selected != nullptr && asked(relation, selected);
}

}  // namespace hoopguard::classify
