// A locked session refuses its own statements; what runs or idles is ended from here. A session that was logging
// in while its actor was locked is found on the next round.
#include "workers/locked_sessions.hpp"

#include "identify/lock.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

#include <csignal>

extern "C" {
#include "access/xact.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/timestamp.h"
}

namespace {

using namespace hoopguard;

struct Client {
    int pid;
    const char* role;  // that it logged in as
};

struct Clients {
    Client* list;
    int count;
};

// Needs a transaction for the names.
Clients clients() {
    pgstat_clear_backend_activity_snapshot();
    int const most = pgstat_fetch_stat_numbackends();
    auto* const list = static_cast<Client*>(palloc(sizeof(Client) * static_cast<std::size_t>(most + 1)));
    int count = 0;
    for (int number = 1; number <= most; ++number) {
        auto const* const status = backend_status(number);
        if (status == nullptr || !OidIsValid(status->st_userid)) continue;
        if (status->st_backendType != B_BACKEND && status->st_backendType != B_WAL_SENDER) continue;
        // A session with a role of its own shows that one; the lock is on the role that it logged in as.
        const PGPROC* const process = BackendPidGetProc(status->st_procpid);
        if (process == nullptr) continue;
        const char* const role = GetUserNameFromId(process->roleId, true);
        if (role != nullptr) list[count++] = {status->st_procpid, role};
    }
    return {list, count};
}

std::uint64_t now() {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    return static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
}

void end_sessions(const policy::Image& image) {
    pg::call([] { StartTransactionCommand(); });
    auto const found = pg::call([] { return clients(); });
    auto const at = now();
    for (int i = 0; i < found.count; ++i) {
        auto const client = found.list[i];
        auto const lock = identify::find_lock(image, {}, client.role, at);
        if (!lock || kill(client.pid, SIGTERM) != 0) continue;
        pg::call([&] {
            ereport(LOG, (errmsg("hoopguard ends session %d of role \"%s\"", client.pid, client.role),
                          errdetail("Actor \"%.*s\" is locked.", static_cast<int>(lock->name.size()),
                                    lock->name.data())));
        });
    }
    pg::call([] { CommitTransactionCommand(); });
}

}  // namespace

void hoopguard::workers::end_locked_sessions() {
    if (policy::generation_in_force() == 0) return;
    const char* problem = nullptr;
    try {
        const policy::Image* const image = policy::in_force();
        if (image == nullptr || image->section(policy::SectionId::kLockedActors).size() == 0) return;
        return end_sessions(*image);
    } catch (const pg::Refusal& refusal) {
        problem = refusal.detail();
    } catch (const pg::Error& error) {
        problem = error.what();
    }
    pg::call([problem] {
        AbortCurrentTransaction();
        ereport(LOG, (errmsg("hoopguard could not end the sessions of locked actors: %s", problem)));
    });
}
