// Plain data that a signal handler may read at any time: entries are complete before they are counted.
#include "approve/resting_pg.hpp"

#include "approve/ended_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/halt.hpp"
#include "pg/report.hpp"
#include "policy/in_force_pg.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

extern "C" {
#include "utils/portal.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace hoopguard::approve {

namespace {

constexpr int kLookMilliseconds = 50;
constexpr std::size_t kMostWatched = 64;

struct Support {
    std::uint64_t grant;
    std::uint64_t since;      // of the grants that ended
    TimestampTz valid_until;  // DT_NOEND: none
};

struct OfQuery {
    const QueryDesc* query;
    Support support;
};

struct OfCursor {
    std::string name;
    TimestampTz created;
    std::uint64_t grant;
};

// What runs at this moment rests on these.
Support watched[kMostWatched];
volatile std::sig_atomic_t watched_count = 0;
bool armed = false;
int armed_timer = -1;
char message[128];

[[gnu::hot]] std::vector<OfQuery>& queries() {
    static std::vector<OfQuery> all;
    return all;
}

bool any_query = false;  // queries() is not empty

std::vector<OfCursor>& cursors() {
    static std::vector<OfCursor> all;
    return all;
}

bool is_over(const Support& support) noexcept {
    return support.valid_until <= GetCurrentTimestamp() || has_ended(support.grant, support.since);
}

void put_number(char* at, std::uint64_t number) noexcept {
    char digits[24];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *at++ = digits[--count];
    constexpr char kEnd[] = " has ended";
    std::memcpy(at, kEnd, sizeof kEnd);
}

void halt(const Support& support) noexcept {
    constexpr char kBegin[] = "canceling statement because just-in-time grant ";
    std::memcpy(message, kBegin, sizeof kBegin - 1);
    put_number(message + sizeof kBegin - 1, support.grant);
    pg::halt_statement({ERRCODE_QUERY_CANCELED, message, nullptr,
                        "Request access again with hoopguard.request_access() if it is still needed.", nullptr});
}

[[noreturn]] void refuse(const Support& support) {
    throw pg::Refusal(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        pg::format("just-in-time grant %llu has ended", static_cast<unsigned long long>(support.grant)), nullptr,
        "Request access again with hoopguard.request_access() if it is still needed.");
}

// Runs in a signal handler.
void look_at_grants() noexcept {
    for (int i = 0; i < watched_count; ++i) {
        auto const count = ended_count();
        if (is_over(watched[i])) return halt(watched[i]);
        watched[i].since = count;
    }
}

// Errors that reach the client switch all timers off, so it is set anew for every statement.
void arm() {
    static int timer = -1;
    if (armed) return;
    pg::call([] {
        if (timer < 0) timer = RegisterTimeout(USER_TIMEOUT, [] { look_at_grants(); });
        auto const first = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kLookMilliseconds);
        enable_timeout_every(static_cast<TimeoutId>(timer), first, kLookMilliseconds);
    });
    armed_timer = timer;
    armed = true;
}

void disarm() noexcept {
    watched_count = 0;
    if (!armed) return;
    armed = false;
    disable_timeout(static_cast<TimeoutId>(armed_timer), false);
}

void watch(const Support& support) {
    int const count = watched_count;
    for (int i = 0; i < count; ++i)
        if (watched[i].grant == support.grant) return;
    if (static_cast<std::size_t>(count) == kMostWatched)
        throw pg::Refusal(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "statement rests on too many just-in-time grants");
    watched[count] = support;
    pg_compiler_barrier();
    watched_count = count + 1;
    arm();
}

// A grant as it stands in the policy in force. Throws pg::Refusal when it has ended.
Support support_by(std::uint64_t grant) {
    Support support{grant, ended_count(), DT_NOBEGIN};
    // What ended before that count is not in the policy in force any more.
    auto const* const image = policy::in_force();
    if (image == nullptr) refuse(support);
    auto const row = find_grant(*image, grant);
    if (!row) refuse(support);
    support.valid_until = end_of(*row);
    if (support.valid_until <= GetCurrentTimestamp()) refuse(support);
    return support;
}

[[gnu::noinline]] void rest_query_on(const QueryDesc* query, std::span<const std::uint64_t> grants) {
    for (auto const grant : grants) {
        auto const support = support_by(grant);
        if (query != nullptr) {
            queries().push_back({query, support});
            any_query = true;
        }
        watch(support);
    }
}

[[gnu::noinline]] const decide::Decision& noting(const decide::Decision& decision,
                                                 std::span<const std::uint64_t> grants) {
    static decide::Decision noted;
    noted = decision;
    auto const* const image = policy::in_force();
    for (auto const grant : grants) {
        noted.grants.push_back(grant);
        auto const row = image != nullptr ? find_grant(*image, grant) : std::nullopt;
        if (!row || noted.approval != 0) continue;
        noted.approval = row->word(policy::GrantField::kRequest);
        for (auto const name : row->texts(policy::GrantField::kDecidedBy)) noted.decided_by.emplace_back(name);
    }
    return noted;
}

}  // namespace

TimestampTz end_of(const policy::Row& grant) noexcept {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    auto const end = grant.word(policy::GrantField::kValidUntil);
    return end == policy::kUnlimited ? DT_NOEND : static_cast<TimestampTz>(end) - kEpochs;
}

std::optional<policy::Row> find_grant(const policy::Image& image, std::uint64_t grant) noexcept {
    auto const grants = image.section(policy::SectionId::kGrants);
    std::uint32_t low = 0;
    std::uint32_t high = grants.size();
    while (low < high) {
        auto const middle = low + (high - low) / 2;
        auto const id = grants[middle].word(policy::GrantField::kId);
        if (id == grant) return grants[middle];
        if (id < grant)
            low = middle + 1;
        else
            high = middle;
    }
    return std::nullopt;
}

[[gnu::hot]] const decide::Decision& with_grants(const decide::Decision& decision,
                                                 std::span<const std::uint64_t> grants) {
    return grants.empty() ? decision : noting(decision, grants);
}

[[gnu::hot]] void rest_on(const classify::Statement& statement, std::span<const std::uint64_t> grants) {
    if (!statement.nested && (watched_count != 0 || armed)) disarm();
    if (!grants.empty()) rest_query_on(statement.query, grants);
}

void resume(const QueryDesc* query, bool nested) {
    if (!nested && (watched_count != 0 || armed)) disarm();
    for (auto& one : queries()) {
        if (one.query != query) continue;
        one.support = support_by(one.support.grant);
        watch(one.support);
    }
}

void let_go(std::uint64_t grant) noexcept {
    int const count = watched_count;
    watched_count = 0;
    pg_compiler_barrier();
    int kept = 0;
    for (int i = 0; i < count; ++i)
        if (watched[i].grant != grant) watched[kept++] = watched[i];
    pg_compiler_barrier();
    watched_count = kept;
}

void forget(const QueryDesc* query) noexcept {
    if (!any_query) return;
    std::erase_if(queries(), [query](const OfQuery& one) { return one.query == query; });
    any_query = !queries().empty();
}

[[gnu::hot]] bool any_rests() noexcept {
    return any_query || watched_count != 0 || armed;
}

void stop_watching() noexcept {
    if (watched_count != 0 || armed) disarm();
}

[[gnu::hot]] void forget_all() noexcept {
    stop_watching();
    queries().clear();
    any_query = false;
}

void remember_cursor(const char* name) {
    if (!any_query) return;
    auto* const portal = pg::call([name] { return GetPortalByName(name); });
    if (!PortalIsValid(portal) || portal->queryDesc == nullptr) return;
    for (auto const& one : queries())
        if (one.query == portal->queryDesc) cursors().push_back({name, portal->creation_time, one.support.grant});
}

void check_cursor(const char* name) {
    if (cursors().empty() || name == nullptr) return;
    auto* const portal = pg::call([name] { return GetPortalByName(name); });
    std::erase_if(cursors(), [=](const OfCursor& one) {
        return one.name == name && (!PortalIsValid(portal) || portal->creation_time != one.created);
    });
    for (auto const& one : cursors())
        if (one.name == name) support_by(one.grant);
}

}  // namespace hoopguard::approve
