// A backend that signals on behalf of SQL is the sender of its signal; the postmaster's are its own.
#include "workers/steadfast.hpp"

#include "pg/boundary.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>

extern "C" {
#include "libpq/pqsignal.h"
#include "storage/latch.h"
}

namespace {

void (*stop_worker)(int) = nullptr;
std::atomic<int> ignored{0};  // pid of who asked last
static_assert(std::atomic<int>::is_always_lock_free, "set in a signal handler");

}  // namespace

extern "C" {

static void hoopguard_worker_stop(int number, siginfo_t* info, void*) {
    int const saved = errno;
    // A sender outside of this namespace of processes, or none, is no backend.
    if (info == nullptr || info->si_pid == PostmasterPid || info->si_pid == 0 || info->si_pid == MyProcPid) {
        stop_worker(number);
    } else {
        ignored.store(info->si_pid);
        SetLatch(MyLatch);
    }
    errno = saved;
}

}  // extern "C"

void hoopguard::workers::heed_postmaster_alone(void (*stop)(int)) noexcept {
    stop_worker = stop;
    struct sigaction action = {};
    action.sa_sigaction = hoopguard_worker_stop;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigaction(SIGTERM, &action, nullptr);
    pqsignal(SIGINT, SIG_IGN);
}

void hoopguard::workers::say_what_was_ignored() {
    int const pid = ignored.exchange(0);
    if (pid == 0) return;
    pg::call([pid] {
        ereport(LOG, (errmsg("a hoopguard worker ignored the request of process %d to stop", pid),
                      errhint("It stops with the server.")));
    });
}
