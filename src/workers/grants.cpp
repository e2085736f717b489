// Ending grants: SQL functions of the control database do it, in one transaction each with the membership; here
// stands when, and who is told.
#include "workers/grants.hpp"

#include "approve/ended_pg.hpp"
#include "base/json.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "workers/broker_errands.hpp"

#include <algorithm>
#include <csignal>
#include <string>

extern "C" {
#include "access/xact.h"
#include "parser/parse_func.h"
#include "utils/timestamp.h"
}

namespace hoopguard::workers {

namespace {

constexpr std::int64_t kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
// Nothing tells of the end of a session: while grants hang on one, it is looked for this often.
constexpr std::int64_t kLookForSessions = 200'000;
constexpr std::int64_t kRetry = 1'000'000;

TimestampTz due_at = DT_NOBEGIN;  // when to look at the table again; at once after a start

std::vector<std::uint64_t>& in_force() {
    static std::vector<std::uint64_t> grants;  // in rising order
    return grants;
}

// A control database without the extension has no grants to end.
bool has_grants() {
    return pg::call([] {
        StartTransactionCommand();
        bool const found = OidIsValid(
            LookupFuncName(list_make2(makeString(pstrdup("hoopguard")), makeString(pstrdup("broker_end_grants"))),
                           -1, nullptr, true));
        CommitTransactionCommand();
        return found;
    });
}

void plan_next_look(const base::Json& answer) {
    due_at = DT_NOEND;
    if (auto const* const next = answer.member("next"); next != nullptr && next->number() != nullptr)
        due_at = static_cast<TimestampTz>(*next->number()) - kEpochs;
    auto const* const sessions = answer.member("sessions");
    if (sessions != nullptr && sessions->boolean() != nullptr && *sessions->boolean())
        due_at = std::min(due_at, GetCurrentTimestamp() + kLookForSessions);
}

// Ends the sessions that a grant alone had let in.
void end_sessions(const base::Json& answer) {
    auto const* const lost = answer.member("lost");
    if (lost == nullptr || lost->array() == nullptr) return;
    for (auto const& pid : *lost->array())
        if (pid.number() != nullptr && *pid.number() > 1) kill(static_cast<pid_t>(*pid.number()), SIGTERM);
}

}  // namespace

void look_at_grants_again() noexcept {
    due_at = DT_NOBEGIN;
}

void end_due_grants() {
    if (GetCurrentTimestamp() < due_at) return;
    // Until this has succeeded: whatever goes wrong is tried again, but not without rest.
    due_at = GetCurrentTimestamp() + kRetry;
    if (!has_grants()) return;
    auto const answer = base::Json::parse(end_grants());
    if (!answer) return;
    end_sessions(*answer);
    plan_next_look(*answer);
}

long milliseconds_until_next_grant_ends(long longest) {
    auto const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due_at);
    return std::clamp(left, 0L, longest);
}

bool any_grant_in_force() noexcept {
    return !in_force().empty();
}

void note_grants_in_force(const std::vector<policy::Grant>& grants) {
    std::vector<std::uint64_t> now;
    for (auto const& grant : grants) now.push_back(static_cast<std::uint64_t>(grant.id));
    std::ranges::sort(now);
    std::vector<std::uint64_t> gone;
    std::ranges::set_difference(in_force(), now, std::back_inserter(gone));
    approve::note_ended(gone);
    // A new one may end before the next that was known.
    if (now != in_force()) due_at = DT_NOBEGIN;
    in_force() = std::move(now);
}

}  // namespace hoopguard::workers
