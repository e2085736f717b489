// Stopping what runs in this process, from where nothing may be raised: handlers of timeouts and signals.
//
// The statement ends as by a cancel, with SQLSTATE 57014 unless another is given; the error hook gives the error
// its own words. While no statement runs, stopping one does nothing.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::pg {

// Why something is stopped. The texts must live until the statement has ended: literals, or memory of the process.
struct Halt {
    int sqlstate;
    const char* message;
    const char* detail;      // or null
    const char* hint;        // or null
    const char* constraint;  // or null
};

// Safe in a signal handler. The first reason given for a statement stands.
void halt_statement(const Halt& why) noexcept;

// Forgets a reason that no longer concerns what runs; call before a client's next statement begins.
void forget_halt() noexcept;

// Inside an error's context callback: when the error that is being raised is the cancel that halt_statement()
// asked for, gives it its own words.
void describe_halt() noexcept;

}  // namespace hoopguard::pg
