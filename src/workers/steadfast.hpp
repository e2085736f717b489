// hoopguard's workers stop when the postmaster says so, and for nobody else: neither pg_terminate_backend() nor
// pg_cancel_backend() reaches them.
#pragma once

namespace hoopguard::workers {

// Takes over SIGTERM and SIGINT; `stop` is what SIGTERM of the postmaster runs, as a signal handler. Before
// signals are unblocked.
void heed_postmaster_alone(void (*stop)(int)) noexcept;

// Logs what was ignored since the last call.
void say_what_was_ignored();

}  // namespace hoopguard::workers
