// Every hook file offers one function that installs it; _PG_init calls them in order.
#pragma once

namespace hoopguard::hooks {

void install_shared_memory();
void install_planner();
void install_executor();
void install_utility();
void install_transaction();
void install_access();
void install_authentication();
void install_error();
void install_log();
void install_labels();
void install_mask_utility();

// Sees to it that errors are seen again: one that was caught and raised anew (ReThrowError) passes no callback, so
// that nothing put the watcher back when PostgresMain() had emptied the stack.
void watch_errors_again() noexcept;

}  // namespace hoopguard::hooks
