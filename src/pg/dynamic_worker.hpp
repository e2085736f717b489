// Background workers that are started while the server runs.
#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "miscadmin.h"
#include "postmaster/bgworker.h"
}

namespace hoopguard::pg {

// A worker that connects to a database, runs `function` of this library once, and tells its end to this process.
// `type` is its name, too, until the caller gives it another.
inline BackgroundWorker dynamic_worker(const char* function, const char* type, BgWorkerStartTime start) noexcept {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = start;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_notify_pid = MyProcPid;
    strlcpy(worker.bgw_library_name, "hoopguard", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, function, sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, type, sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, type, sizeof worker.bgw_type);
    return worker;
}

}  // namespace hoopguard::pg
