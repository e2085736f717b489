// Who speaks in this backend, from the roles PostgreSQL authenticated.
#include "identify/session_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"

namespace hoopguard::identify {

namespace {

struct Speaker {
    Actor actor;
    char name[NAMEDATALEN] = {};
};

// Per process, built on first use; plain data, so that a fork may copy it.
constinit Speaker speaker;

void look_up(Oid login_role) {
    struct Found {
        char name[NAMEDATALEN];
        bool superuser;
    };
    auto const found = pg::call([login_role] {
        Found result = {};
        char* name = GetUserNameFromId(login_role, true);
        strlcpy(result.name, name ? name : "", sizeof result.name);
        result.superuser = superuser_arg(login_role);
        return result;
    });
    strlcpy(speaker.name, found.name, sizeof speaker.name);
    speaker.actor.name = speaker.name;
    speaker.actor.superuser = found.superuser;
    speaker.actor.login_role = login_role;
}

}  // namespace

std::uint64_t session_id() noexcept {
    return static_cast<std::uint64_t>(MyStartTime) << 32 | static_cast<std::uint32_t>(MyProcPid);
}

const Actor& current_actor() {
    Oid const login_role = GetSessionUserId();
    if (speaker.actor.login_role != login_role) look_up(login_role);
    speaker.actor.effective_role = GetUserId();
    return speaker.actor;
}

bool is_rescuer() noexcept {
    return MyProcPort != nullptr && MyProcPort->raddr.addr.ss_family == AF_UNIX && speaker.actor.superuser;
}

}  // namespace hoopguard::identify
