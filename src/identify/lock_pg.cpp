// Looked up once a policy and a session; a lock that ends by itself is compared with the clock at each statement.
#include "identify/lock_pg.hpp"

#include "identify/lock.hpp"
#include "identify/session_pg.hpp"
#include "pg/report.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace hoopguard::identify {

namespace {

constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;

// What was found last; plain data per process.
struct Known {
    std::uint64_t generation;
    std::uint64_t change;  // of the session
    bool any;              // the policy holds locks: look each time
};

Known known = {};

std::uint64_t now() noexcept {
    return static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
}

bool holds(const policy::Image& image, const Actor& actor, std::string_view login_role) noexcept {
    auto const at = now();
    return find_lock(image, actor.provider, actor.name, at).has_value() ||
           (login_role != actor.name && find_lock(image, {}, login_role, at).has_value());
}

}  // namespace

[[gnu::hot]] bool is_locked(const Actor& actor) {
    auto const generation = policy::generation_in_force();
    auto const change = known_session().change;
    if (!known.any && known.generation == generation && known.change == change) return false;
    auto const* const image = policy::in_force_or_none();
    if (image == nullptr) return false;
    known = {image->generation(), change, image->section(policy::SectionId::kLockedActors).size() != 0};
    return known.any && holds(*image, actor, known_session().login_role);
}

void refuse_locked_login(const Actor& actor, std::string_view login_role) {
    auto const* const image = policy::in_force_or_none();
    if (image == nullptr || !holds(*image, actor, login_role)) return;
    throw pg::Refusal(
        ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        pg::format("actor \"%.*s\" is locked", static_cast<int>(actor.name.size()), actor.name.data()), nullptr,
        kLockedHint);
}

}  // namespace hoopguard::identify
