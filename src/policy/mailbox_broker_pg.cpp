// The broker's side of the mailbox.
#include "base/text.hpp"
#include "policy/mailbox_shared_pg.hpp"

extern "C" {
#include "access/transam.h"
#include "storage/latch.h"
#include "utils/resowner.h"
}

namespace hoopguard::policy {

namespace {

// Segments of answers that may not have been read yet, and the letters they answer.
struct Kept {
    dsm_segment* segment;
    std::uint64_t number;
};
Kept kept[kLetterPlaces];

SharedLetter& place_of(const Letter& letter) noexcept {
    return mailbox().places[letter.place];
}

void store_answer(int place, const std::string& json) {
    SharedLetter& shared = mailbox().places[place];
    if (kept[place].segment != nullptr) dsm_detach(kept[place].segment);
    kept[place] = {};
    auto* const segment = store_text(shared.answer, json);
    if (segment == nullptr) return;
    // Beyond the end of this transaction.
    dsm_pin_mapping(segment);
    kept[place] = {segment, pg_atomic_read_u64(&shared.number)};
}

void give_answer(SharedLetter& shared) noexcept {
    auto* const sender = shared.sender;
    pg_write_barrier();
    if (!change_state(shared, LetterState::kTaken, LetterState::kAnswered)) return release_place(shared);
    SetLatch(&sender->procLatch);
}

std::string to_json(const Failure& failure) {
    return "{\"sqlstate\":" + std::to_string(failure.sqlstate) +
           ",\"message\":" + base::json_quoted(failure.message) +
           ",\"detail\":" + base::json_quoted(failure.detail) + ",\"hint\":" + base::json_quoted(failure.hint) +
           "}";
}

}  // namespace

std::optional<Letter> take_letter() {
    for (;;) {
        SharedLetter* oldest = nullptr;
        std::uint64_t least = 0;
        for (auto& one : mailbox().places) {
            if (state_of(one) != LetterState::kPosted) continue;
            auto const number = pg_atomic_read_u64(&one.number);
            if (oldest == nullptr || number < least) {
                oldest = &one;
                least = number;
            }
        }
        if (oldest == nullptr) return std::nullopt;
        if (!change_state(*oldest, LetterState::kPosted, LetterState::kTaken)) continue;
        pg_read_barrier();
        Letter letter;
        letter.place = static_cast<int>(oldest - mailbox().places);
        letter.errand = static_cast<Errand>(oldest->errand);
        try {
            letter.json = load_text(oldest->letter);
        } catch (const pg::Refusal& refusal) {
            // As a rule its sender has gone, and its segment with it.
            hand_over(letter, Failure{refusal.sqlstate(), refusal.what(), "", ""});
            continue;
        }
        return letter;
    }
}

void prepare_answer(const Letter& letter, const std::string& json, std::uint32_t transaction) {
    SharedLetter& shared = place_of(letter);
    shared.failed = false;
    store_answer(letter.place, json);
    pg_write_barrier();
    shared.transaction = transaction;
}

void hand_over(const Letter& letter) noexcept {
    give_answer(place_of(letter));
}

void hand_over(const Letter& letter, const Failure& failure) {
    SharedLetter& shared = place_of(letter);
    shared.failed = true;
    shared.transaction = InvalidTransactionId;
    store_answer(letter.place, to_json(failure).substr(0, kShortLetter));
    give_answer(shared);
}

void recover_letters() {
    for (auto& one : mailbox().places) {
        if (state_of(one) == LetterState::kAbandoned) release_place(one);
        if (state_of(one) != LetterState::kTaken) continue;
        TransactionId const transaction = one.transaction;
        bool const done = TransactionIdIsValid(transaction) &&
                          pg::call([transaction] { return TransactionIdDidCommit(transaction); });
        if (done)
            give_answer(one);
        else if (!change_state(one, LetterState::kTaken, LetterState::kPosted))
            release_place(one);
    }
}

void sweep_letters() noexcept {
    for (int place = 0; place < kLetterPlaces; ++place) {
        auto& one = kept[place];
        if (one.segment == nullptr) continue;
        SharedLetter& shared = mailbox().places[place];
        bool const waited_for =
            pg_atomic_read_u64(&shared.number) == one.number &&
            (state_of(shared) == LetterState::kTaken || state_of(shared) == LetterState::kAnswered);
        if (waited_for) continue;
        dsm_detach(one.segment);
        one = {};
    }
}

}  // namespace hoopguard::policy
