// Plain data that a signal handler may read at any time: entries are complete before they are counted.
#include "approve/admission_pg.hpp"

#include "approve/ended_pg.hpp"
#include "approve/resting_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "policy/in_force_pg.hpp"

#include <csignal>

extern "C" {
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace hoopguard::approve {

namespace {

constexpr int kLookMilliseconds = 500;
constexpr int kMostGrants = 16;
constexpr char kHint[] = "Request access again with hoopguard.request_access() if it is still needed.";

struct Ground {
    std::uint64_t grant;
    std::uint64_t since;  // of the grants that ended
    TimestampTz valid_until;
};

Ground grounds[kMostGrants];
volatile std::sig_atomic_t ground_count = 0;
int timer = -1;

// Runs in a signal handler too. 0: none has ended.
std::uint64_t ended_ground() noexcept {
    for (int i = 0; i < ground_count; ++i) {
        auto const count = ended_count();
        if (grounds[i].valid_until <= GetCurrentTimestamp() || has_ended(grounds[i].grant, grounds[i].since))
            return grounds[i].grant;
        grounds[i].since = count;
    }
    return 0;
}

[[noreturn]] void refuse(std::uint64_t grant) {
    throw pg::Refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
                      pg::format("just-in-time grant %llu, by which this session was let in, has ended",
                                 static_cast<unsigned long long>(grant)),
                      nullptr, kHint);
}

void add_ground(std::uint64_t grant) {
    for (int i = 0; i < ground_count; ++i)
        if (grounds[i].grant == grant) return;
    if (ground_count == kMostGrants)
        throw pg::Refusal(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "session rests on too many just-in-time grants");
    // What ended before that count is not in the policy in force any more.
    auto const since = ended_count();
    auto const* const image = policy::in_force();
    auto const row = image != nullptr ? find_grant(*image, grant) : std::nullopt;
    if (!row) refuse(grant);
    grounds[ground_count] = {grant, since, end_of(*row)};
    pg_compiler_barrier();
    ground_count = ground_count + 1;
}

}  // namespace

extern "C" {

// As pg_terminate_backend() does: at the next safe point.
static void hoopguard_look_at_admission() {
    if (ended_ground() != 0) kill(MyProcPid, SIGTERM);
}

}  // extern "C"

void admit_by(std::span<const std::uint64_t> grants) {
    for (auto const grant : grants) add_ground(grant);
    if (grants.empty()) return;
    if (timer < 0)
        timer =
            pg::call([] { return static_cast<int>(RegisterTimeout(USER_TIMEOUT, hoopguard_look_at_admission)); });
    watch_admission();
}

[[gnu::hot]] void hold_to_admission() {
    if (ground_count == 0) [[likely]]
        return;
    auto const grant = ended_ground();
    if (grant == 0) return;
    kill(MyProcPid, SIGTERM);
    refuse(grant);
}

void watch_admission() noexcept {
    if (ground_count == 0) return;
    auto const first = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kLookMilliseconds);
    enable_timeout_every(static_cast<TimeoutId>(timer), first, kLookMilliseconds);
}

}  // namespace hoopguard::approve
