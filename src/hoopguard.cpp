// The roof: module magic and _PG_init, which reads as a table of contents.
#include "approve/channels_pg.hpp"
#include "hooks/hooks.hpp"
#include "identify/role_guard_pg.hpp"
#include "pg/compat.hpp"
#include "pg/settings.hpp"
#include "policy/change_pg.hpp"
#include "workers/broker.hpp"
#include "workers/key_fetcher.hpp"
#include "workers/notary.hpp"
#include "workers/sealer.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
    // First of all, before any setting exists: a late load would guard nothing that is already open.
    if (!process_shared_preload_libraries_in_progress)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("hoopguard must be loaded when the server starts"),
                        errhint("Add hoopguard to shared_preload_libraries and restart the server.")));

    EnableQueryId();
    hoopguard::approve::define_channel_setting();
    hoopguard::pg::define_settings();
    hoopguard::hooks::install_shared_memory();
    hoopguard::hooks::install_planner();
    hoopguard::hooks::install_executor();
    hoopguard::hooks::install_labels();
    hoopguard::hooks::install_mask_utility();
    hoopguard::hooks::install_utility();
    hoopguard::hooks::install_transaction();
    hoopguard::hooks::install_access();
    hoopguard::hooks::install_authentication();
    hoopguard::hooks::install_error();
    hoopguard::hooks::install_log();
    hoopguard::identify::guard_role_settings();
    hoopguard::policy::install_change_callbacks();
    hoopguard::workers::register_sealer();
    hoopguard::workers::register_notary();
    hoopguard::workers::register_broker_launcher();
    hoopguard::workers::register_key_fetcher();
}
