// One timer, set to the earliest deadline that refuses; the handler finds its words prepared.
#include "decide/deadline_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/halt.hpp"

#include <algorithm>
#include <list>
#include <string>

extern "C" {
#include "access/xact.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace hoopguard::decide {

namespace {

constexpr int kAskAgainMilliseconds = 100;

struct Deadline {
    std::uint64_t statement = 0;
    const QueryDesc* query = nullptr;
    SubTransactionId subtransaction = 0;
    Limit limit;
    std::string detail;
    OnLate on_late = nullptr;
    std::int64_t left = 0;  // microseconds, while it is paused
    TimestampTz at = 0;     // 0: paused
    bool told = false;

    bool refuses() const { return limit.decision.refuses(); }
};

// Plain, so that callbacks that must not allocate need not make the list to find it empty.
bool any = false;

// A list: the handler's words stay where they are.
std::list<Deadline>& deadlines() {
    static std::list<Deadline> all;
    return all;
}

pg::Halt words;

}  // namespace

extern "C" {

static void hoopguard_time_is_over() {
    pg::halt_statement(words);
}

}  // extern "C"

namespace {

TimeoutId timer() {
    static TimeoutId const id = RegisterTimeout(USER_TIMEOUT, hoopguard_time_is_over);
    return id;
}

void arm() noexcept {
    disable_timeout(timer(), false);
    const Deadline* first = nullptr;
    for (auto const& one : deadlines())
        if (one.at != 0 && one.refuses() && (first == nullptr || one.at < first->at)) first = &one;
    any = !deadlines().empty();
    if (first == nullptr) return;
    auto const& decision = first->limit.decision;
    words = {ERRCODE_INSUFFICIENT_PRIVILEGE, decision.message.c_str(), first->detail.c_str(),
             decision.hint.c_str(), decision.guardrail.c_str()};
    enable_timeout_every(timer(), first->at, kAskAgainMilliseconds);
}

void tell_if_late(Deadline& one) {
    bool const late = one.at != 0 && GetCurrentTimestamp() >= one.at;
    if (!late || one.told || one.refuses()) return;
    one.told = true;
    one.on_late(one.statement, one.limit);
}

template <class Mine>
void change(Mine mine, void (*how)(Deadline&)) {
    if (!any) return;
    bool changed = false;
    for (auto& one : deadlines()) {
        if (!mine(one)) continue;
        how(one);
        changed = true;
    }
    if (changed) arm();
}

template <class Mine>
void forget(Mine mine) noexcept {
    if (!any) return;
    if (deadlines().remove_if(mine) > 0) arm();
}

void pause(Deadline& one) {
    tell_if_late(one);
    if (one.at != 0) one.left = std::max<std::int64_t>(0, one.at - GetCurrentTimestamp());
    one.at = 0;
}

void resume(Deadline& one) {
    if (one.at == 0) one.at = GetCurrentTimestamp() + one.left;
}

std::string seconds(std::int64_t microseconds) {
    return std::to_string(microseconds / 1000) + " ms";
}

}  // namespace

void begin_time(std::uint64_t number, const QueryDesc* query, const std::vector<Limit>& limits, OnLate on_late) {
    bool begun = false;
    for (auto const& limit : limits) {
        if (limit.max_duration == 0) continue;
        auto& one = deadlines().emplace_back();
        one.statement = number;
        one.query = query;
        one.subtransaction = GetCurrentSubTransactionId();
        one.limit = limit;
        one.limit.decision.reason += ": longer than " + seconds(limit.max_duration);
        one.detail = "The statement is " + one.limit.decision.reason + ".";
        one.on_late = on_late;
        one.at = GetCurrentTimestamp() + limit.max_duration;
        begun = true;
    }
    if (begun) arm();
}

[[gnu::hot]] void pause_time(const QueryDesc* query) {
    change([query](const Deadline& one) { return one.query == query; }, pause);
}

[[gnu::hot]] void resume_time(const QueryDesc* query) {
    change([query](const Deadline& one) { return one.query == query; }, resume);
}

void end_time(const QueryDesc* query) {
    change([query](const Deadline& one) { return one.query == query; }, tell_if_late);
    forget([query](const Deadline& one) { return one.query == query; });
}

void end_time(std::uint64_t number) {
    change([number](const Deadline& one) { return one.statement == number; }, tell_if_late);
    forget([number](const Deadline& one) { return one.statement == number; });
}

[[gnu::hot]] void forget_times() noexcept {
    forget([](const Deadline&) { return true; });
}

void forget_times(std::uint32_t subtransaction) noexcept {
    forget([subtransaction](const Deadline& one) { return one.subtransaction >= subtransaction; });
    // Caught, it has not ended: the error was of a statement that goes on.
    if (overdue().limit != nullptr) pg::halt_statement(words);
}

Overdue overdue() noexcept {
    if (!any) return {};
    TimestampTz const now = GetCurrentTimestamp();
    for (auto const& one : deadlines())
        if (one.at != 0 && one.at <= now && one.refuses()) return {one.statement, &one.limit};
    return {};
}

}  // namespace hoopguard::decide
