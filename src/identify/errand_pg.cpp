// Whether this process does an errand, and for whom.
#include "identify/errand_pg.hpp"

namespace hoopguard::identify {

namespace {

char asked_by[sizeof ErrandOrder::asked_by] = "";
bool errand = false;

}  // namespace

void begin_errand(const ErrandOrder& order) noexcept {
    strlcpy(asked_by, order.asked_by, sizeof asked_by);
    errand = true;
}

bool is_errand() noexcept {
    return errand;
}

const char* errand_asked_by() noexcept {
    return asked_by;
}

}  // namespace hoopguard::identify
