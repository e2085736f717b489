// How the mailbox lies in shared memory; for its two sides alone.
#pragma once

#include "pg/boundary.hpp"
#include "policy/mailbox_pg.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/proc.h"
}

namespace hoopguard::policy {

inline constexpr int kLetterPlaces = 64;
inline constexpr std::size_t kShortLetter = 8192;

enum class LetterState : std::uint32_t { kFree, kWriting, kPosted, kTaken, kAnswered, kAbandoned };

// A text inline, or in a dynamic segment whose creator stays attached until it was read.
struct SharedText {
    std::uint32_t length;
    dsm_handle segment;  // DSM_HANDLE_INVALID: inline
    char bytes[kShortLetter];
};

struct SharedLetter {
    pg_atomic_uint32 state;   // LetterState
    pg_atomic_uint64 number;  // rises with every letter
    PGPROC* sender;
    std::uint32_t errand;
    TransactionId transaction;  // that serves it; invalid until the answer is prepared
    bool failed;                // the answer is a failure
    SharedText letter;
    SharedText answer;
};

struct Mailbox {
    pg_atomic_uint64 last_number;
    ConditionVariable freed;
    SharedLetter places[kLetterPlaces];
};

Mailbox& mailbox() noexcept;

inline LetterState state_of(SharedLetter& letter) noexcept {
    return static_cast<LetterState>(pg_atomic_read_u32(&letter.state));
}
inline bool change_state(SharedLetter& letter, LetterState from, LetterState to) noexcept {
    auto expected = static_cast<std::uint32_t>(from);
    return pg_atomic_compare_exchange_u32(&letter.state, &expected, static_cast<std::uint32_t>(to));
}
void release_place(SharedLetter& letter) noexcept;

// Stores `text`; a long one in a segment that the caller keeps and lets go of. Throws pg::Error, and pg::Refusal
// when there is no segment to be had.
dsm_segment* store_text(SharedText& to, const std::string& text);
// Throws pg::Refusal when the segment is gone.
std::string load_text(const SharedText& from);

}  // namespace hoopguard::policy
