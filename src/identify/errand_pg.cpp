// Whether this process does an errand, and for whom.
#include "identify/errand_pg.hpp"

#include <memory>
#include <string_view>

extern "C" {
#include "miscadmin.h"
}

namespace hoopguard::identify {

namespace {

const ErrandOrder* order_of_this = nullptr;
std::unique_ptr<Bearer>& asker() noexcept {
    static std::unique_ptr<Bearer> one;
    return one;
}

bool has_askers_rights() noexcept {
    return order_of_this != nullptr && OidIsValid(order_of_this->asker.authenticated);
}

}  // namespace

void begin_errand(const ErrandOrder& order) {
    order_of_this = &order;
    if (order.bearer_length == 0) return;
    auto const* const at = reinterpret_cast<const char*>(&order + 1) + order.statement_length;
    asker() = std::make_unique<Bearer>(bearer_from_json(std::string_view(at, order.bearer_length)));
}

[[gnu::hot]] bool is_errand() noexcept {
    return order_of_this != nullptr;
}

const char* errand_asked_by() noexcept {
    return order_of_this == nullptr || has_askers_rights() ? "" : order_of_this->asked_by;
}

[[gnu::hot]] const Bearer* errand_bearer() noexcept {
    return order_of_this == nullptr ? nullptr : asker().get();
}

Oid authenticated_role() noexcept {
    return has_askers_rights() ? order_of_this->asker.authenticated : GetAuthenticatedUserId();
}

}  // namespace hoopguard::identify
