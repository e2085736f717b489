// The sender's side, and what both sides share.
#include "policy/mailbox_pg.hpp"

#include "base/json.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "policy/mailbox_shared_pg.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include "access/xlog.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
}

namespace hoopguard::policy {

namespace {

constexpr long kPlaceMilliseconds = 30000;    // for a free place: hundreds may ask at once on a busy machine
constexpr long kNobodyMilliseconds = 20000;   // for a broker to start, as its launcher pauses after failures
constexpr long kHopelessMilliseconds = 3000;  // likewise, when the control database is known to be amiss
constexpr long kAnswerMilliseconds = 60000;   // for one that runs to answer
constexpr long kSliceMilliseconds = 500;

Mailbox* box = nullptr;
SharedLetter* mine = nullptr;  // the place that this process holds

// Gives the place back, whatever has become of the letter.
void abandon() noexcept {
    if (mine == nullptr) return;
    SharedLetter& letter = *mine;
    mine = nullptr;
    if (change_state(letter, LetterState::kTaken, LetterState::kAbandoned)) return;
    for (auto const state : {LetterState::kWriting, LetterState::kPosted, LetterState::kAnswered})
        if (change_state(letter, state, LetterState::kWriting)) return release_place(letter);
    // Taken between the two looks.
    if (!change_state(letter, LetterState::kTaken, LetterState::kAbandoned)) release_place(letter);
}

void arrange_abandoning() {
    static bool arranged = false;
    if (arranged) return;
    pg::call([] { before_shmem_exit([](int, Datum) noexcept { abandon(); }, 0); });
    arranged = true;
}

// The place and the segment of a letter on its way.
class Posting {
 public:
    Posting() = default;
    Posting(const Posting&) = delete;
    Posting& operator=(const Posting&) = delete;
    ~Posting() {
        abandon();
        if (segment_ != nullptr) dsm_detach(segment_);
    }
    void keep(dsm_segment* segment) noexcept { segment_ = segment; }

 private:
    dsm_segment* segment_ = nullptr;
};

SharedLetter* free_place() noexcept {
    for (auto& letter : box->places)
        if (change_state(letter, LetterState::kFree, LetterState::kWriting)) return &letter;
    return nullptr;
}

SharedLetter& wait_for_place() {
    auto const deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPlaceMilliseconds);
    SharedLetter* const place = pg::call([deadline]() -> SharedLetter* {
        SharedLetter* found = free_place();
        if (found != nullptr) return found;
        ConditionVariablePrepareToSleep(&box->freed);
        while ((found = free_place()) == nullptr) {
            long const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
            if (left <= 0) break;
            ConditionVariableTimedSleep(&box->freed, std::min(left, kSliceMilliseconds), PG_WAIT_EXTENSION);
        }
        ConditionVariableCancelSleep();
        return found;
    });
    if (place == nullptr)
        throw pg::Refusal(ERRCODE_TOO_MANY_CONNECTIONS, "the hoopguard broker has too much to do", nullptr,
                          "Try again.");
    return *place;
}

void wait_for_answer(SharedLetter& letter) {
    auto const begun = GetCurrentTimestamp();
    auto const lasted = [begun] { return (GetCurrentTimestamp() - begun) / 1000; };
    while (state_of(letter) != LetterState::kAnswered) {
        bool const nobody = broker_pid() == 0 && state_of(letter) == LetterState::kPosted;
        long const patience = !nobody             ? kAnswerMilliseconds
                              : problem().empty() ? kNobodyMilliseconds
                                                  : kHopelessMilliseconds;
        if (lasted() > patience)
            throw pg::Refusal(
                ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                nobody ? "the hoopguard broker is not running" : "the hoopguard broker has not answered", nullptr,
                "Requests and decisions are kept in the control database that hoopguard.database "
                "names: see that it exists and holds extension hoopguard, and the server's log.");
        pg::call([] {
            (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kSliceMilliseconds,
                            PG_WAIT_EXTENSION);
            ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
        });
    }
    pg_read_barrier();
}

[[noreturn]] void raise(const std::string& json) {
    auto const parsed = base::Json::parse(json);
    auto const text = [&parsed](const char* name) -> const char* {
        auto const* const member = parsed ? parsed->member(name) : nullptr;
        if (member == nullptr || member->text() == nullptr || member->text()->empty()) return nullptr;
        return pg::format("%s", member->text()->c_str());
    };
    auto const* const code = parsed ? parsed->member("sqlstate") : nullptr;
    int const sqlstate =
        code != nullptr && code->number() != nullptr ? static_cast<int>(*code->number()) : ERRCODE_INTERNAL_ERROR;
    const char* const message = text("message");
    throw pg::Refusal(sqlstate, message != nullptr ? message : "the hoopguard broker failed", text("detail"),
                      text("hint"));
}

}  // namespace

Mailbox& mailbox() noexcept {
    return *box;
}

void release_place(SharedLetter& letter) noexcept {
    letter.transaction = InvalidTransactionId;
    letter.letter.segment = letter.answer.segment = DSM_HANDLE_INVALID;
    pg_write_barrier();
    pg_atomic_write_u32(&letter.state, static_cast<std::uint32_t>(LetterState::kFree));
    ConditionVariableSignal(&box->freed);
}

dsm_segment* store_text(SharedText& to, const std::string& text) {
    to.length = static_cast<std::uint32_t>(text.size());
    to.segment = DSM_HANDLE_INVALID;
    if (text.size() <= kShortLetter) {
        std::memcpy(to.bytes, text.data(), text.size());
        return nullptr;
    }
    std::size_t const size = text.size();
    auto* const segment = pg::call([size] { return dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS); });
    if (segment == nullptr)
        throw pg::Refusal(ERRCODE_INSUFFICIENT_RESOURCES, "no dynamic shared memory for a letter to the broker");
    std::memcpy(dsm_segment_address(segment), text.data(), size);
    to.segment = dsm_segment_handle(segment);
    return segment;
}

std::string load_text(const SharedText& from) {
    if (from.segment == DSM_HANDLE_INVALID) return std::string(from.bytes, from.length);
    dsm_handle const handle = from.segment;
    auto* const segment = pg::call([handle] { return dsm_attach(handle); });
    if (segment == nullptr)
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "a letter of the broker is gone", nullptr,
                          "See hoopguard.request for what became of it.");
    std::string text;
    try {
        text.assign(static_cast<const char*>(dsm_segment_address(segment)), from.length);
    } catch (...) {
        dsm_detach(segment);
        throw;
    }
    dsm_detach(segment);
    return text;
}

void request_mailbox() {
    pg::call([] { RequestAddinShmemSpace(MAXALIGN(sizeof(Mailbox))); });
}

void attach_mailbox() {
    bool found = false;
    box = pg::call([&found] {
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        auto* at = static_cast<Mailbox*>(ShmemInitStruct("hoopguard mailbox", sizeof(Mailbox), &found));
        LWLockRelease(AddinShmemInitLock);
        return at;
    });
    if (found) return;
    std::memset(static_cast<void*>(box), 0, sizeof *box);
    pg_atomic_init_u64(&box->last_number, 0);
    ConditionVariableInit(&box->freed);
    for (auto& letter : box->places) {
        pg_atomic_init_u32(&letter.state, static_cast<std::uint32_t>(LetterState::kFree));
        pg_atomic_init_u64(&letter.number, 0);
    }
}

std::string ask_broker(Errand errand, const std::string& json) {
    if (pg::call([] { return RecoveryInProgress(); }))
        throw pg::Refusal(ERRCODE_READ_ONLY_SQL_TRANSACTION, "requests are not taken on a standby", nullptr,
                          "Connect to the primary server.");
    if (json.size() > kLongestLetter)
        throw pg::Refusal(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the statement is too long to be asked for", nullptr,
                          pg::format("Statement, parameters and plan may take %zu bytes.", kLongestLetter));
    arrange_abandoning();
    Posting posting;
    SharedLetter& letter = wait_for_place();
    mine = &letter;
    letter.sender = MyProc;
    letter.errand = static_cast<std::uint32_t>(errand);
    letter.transaction = InvalidTransactionId;
    letter.failed = false;
    posting.keep(store_text(letter.letter, json));
    pg_atomic_write_u64(&letter.number, pg_atomic_add_fetch_u64(&box->last_number, 1));
    pg_write_barrier();
    pg_atomic_write_u32(&letter.state, static_cast<std::uint32_t>(LetterState::kPosted));
    wake_broker();
    wait_for_answer(letter);
    auto const answer = load_text(letter.answer);
    if (letter.failed) raise(answer);
    return answer;
}

}  // namespace hoopguard::policy
