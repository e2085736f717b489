// The broker's mailbox: by it any backend, in any database, hands the broker a piece of work and waits for the
// answer, which is the broker's own committed deed whatever becomes of the caller's transaction.
//
// A letter and its answer are JSON objects in UTF-8. A fixed number of letters lie in shared memory; a long one
// lies in a dynamic segment that its letter names. Each letter has one owner at a time, told by its state:
//
//   free → writing → posted → taken → answered → free
//                       ↑        ↓ (broker gone, its transaction not committed)
//                       └────────┘                    taken → abandoned → free (the sender is gone)
// The broker notes in a letter which transaction serves it, so that its successor knows whether the answer
// holds: a letter is served once, however often the broker dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace hoopguard::policy {

// What may be asked of the broker; workers/broker_errands.cpp says who does it. Numbers are of this process's
// life only.
enum class Errand : std::uint32_t {
    kFile = 1,  // file a request, or use the approval of the same one
    kClaim,     // use an approval
    kDecide,    // approve or reject
    kCancel,
    kLook,            // how a request stands
    kList,            // the requests that somebody may see
    kAskAccess = 20,  // file a request for access
    kBreakGlass,      // leave without asking
    kRevoke,          // end a grant
    kMakeRole = 30,   // make a temporary role
    kCount,
};

inline constexpr std::size_t kLongestLetter = std::size_t{4} << 20;

// Shared memory: asking for it before the server starts, and attaching. May throw pg::Error.
void request_mailbox();
void attach_mailbox();

// Sends a letter and waits, interruptibly and boundedly, for the answer. Throws pg::Refusal with what the broker
// raised; 25006 on a standby; 54000 when the letter is too long; 53300 when the mailbox stays full; 55000 when no
// broker answers; pg::Error when interrupted, and then the work may have been done.
std::string ask_broker(Errand errand, const std::string& json);

// An error as it travels through the mailbox.
struct Failure {
    int sqlstate = 0;  // 0: none
    std::string message;
    std::string detail;
    std::string hint;
};

// The broker's side.
struct Letter {
    int place = 0;
    Errand errand = Errand::kCount;
    std::string json;
};
// The oldest letter that was posted; nothing when there is none, or when its sender went away meanwhile.
std::optional<Letter> take_letter();
// Puts the answer in its place, to be read once `transaction`, not committed yet, is.
void prepare_answer(const Letter& letter, const std::string& json, std::uint32_t transaction);
// Hands over what was prepared; or a failure.
void hand_over(const Letter& letter) noexcept;
void hand_over(const Letter& letter, const Failure& failure);
// A new broker looks through what its predecessor left.
void recover_letters();
// Lets go of answers that have been read.
void sweep_letters() noexcept;

}  // namespace hoopguard::policy
