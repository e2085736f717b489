// Reading WAL positions and transaction ids in a process without a database.
#include "workers/server_facts.hpp"

#include "pg/boundary.hpp"

#include <unistd.h>
#include <ctime>

extern "C" {
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "catalog/pg_control.h"
#include "common/controldata_utils.h"
}

namespace hoopguard::workers {

ServerFacts facts_at_start() {
    return pg::call([] {
        ServerFacts facts;
        bool sound = false;
        ControlFileData* const control = get_controlfile(DataDir, &sound);
        if (sound) {
            facts.wal_position = control->checkPoint;
            facts.next_xid = U64FromFullTransactionId(control->checkPointCopy.nextXid);
            facts.timeline = control->checkPointCopy.ThisTimeLineID;
            facts.in_recovery =
                control->state == DB_IN_ARCHIVE_RECOVERY || control->state == DB_SHUTDOWNED_IN_RECOVERY;
        }
        pfree(control);
        return facts;
    });
}

ServerFacts facts_now() {
    return pg::call([] {
        ServerFacts facts;
        facts.in_recovery = RecoveryInProgress();
        TimeLineID timeline = 0;
        if (facts.in_recovery) {
            facts.wal_position = GetXLogReplayRecPtr(&timeline);
        } else {
            facts.wal_position = GetXLogInsertRecPtr();
            timeline = GetWALInsertionTimeLine();
        }
        facts.timeline = timeline;
        facts.next_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
        return facts;
    });
}

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

std::uint64_t wall_clock() noexcept {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace hoopguard::workers
