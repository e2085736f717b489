// Sessions that wait for a person: which request each waits for, so that the broker can wake it at the moment a
// decision is committed. What was decided is never taken from here: whoever wakes asks.
//
// One place for each backend in shared memory; nothing is locked.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

namespace hoopguard::approve {

// Shared memory: asking for it before the server starts, and attaching. May throw pg::Error.
void request_shared();
void attach_shared();

// This process as one that waits for `request`; it has to be made before looking at how the request stands.
class Waiting {
 public:
    // `counted`: among those that hoopguard.approval_max_waiting bounds. Throws pg::Error.
    Waiting(std::uint64_t request, bool counted);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    // False: too many are waiting, and this one does not.
    bool admitted() const noexcept { return admitted_; }
    // Returns true when the request has been decided since this was made or since the last call, false at
    // `deadline`. Interruptible: throws pg::Error for a cancel, a timeout, the end of the session.
    bool wait_until(std::int64_t deadline);

 private:
    bool admitted_ = false;
};

// The broker's: somebody decided.
void wake(std::uint64_t request) noexcept;

// For status(): how many statements wait at this moment.
unsigned waiting_statements() noexcept;

}  // namespace hoopguard::approve
