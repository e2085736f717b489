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

}  // namespace hoopguard::hooks
