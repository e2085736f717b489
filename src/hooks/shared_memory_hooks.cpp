// Shared memory: requested before the server starts, attached once it has been made.
#include "approve/ended_pg.hpp"
#include "approve/waiting_pg.hpp"
#include "decide/windows_pg.hpp"
#include "hooks/hooks.hpp"
#include "mask/secret_pg.hpp"
#include "pg/boundary.hpp"
#include "policy/mailbox_pg.hpp"
#include "policy/standing_pg.hpp"
#include "record/journal_pg.hpp"
#include "record/statement_text_pg.hpp"

extern "C" {
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace {

shmem_request_hook_type prev_shmem_request = nullptr;
shmem_startup_hook_type prev_shmem_startup = nullptr;

}  // namespace

extern "C" {

static void hoopguard_shmem_request() {
    if (prev_shmem_request) prev_shmem_request();
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "shared memory request", [] {
        hoopguard::record::request_shared();
        hoopguard::policy::request_shared();
        hoopguard::decide::request_shared();
        hoopguard::approve::request_ended();
        hoopguard::policy::request_mailbox();
        hoopguard::approve::request_shared();
    });
}

static void hoopguard_shmem_startup() {
    if (prev_shmem_startup) prev_shmem_startup();
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "shared memory start-up", [] {
        hoopguard::record::attach_shared();
        hoopguard::record::prepare_statement_key();
        hoopguard::policy::attach_shared();
        hoopguard::decide::attach_shared();
        hoopguard::mask::prepare_secret();
        hoopguard::approve::attach_ended();
        hoopguard::policy::attach_mailbox();
        hoopguard::approve::attach_shared();
    });
}

}  // extern "C"

void hoopguard::hooks::install_shared_memory() {
    prev_shmem_request = shmem_request_hook;
    shmem_request_hook = hoopguard_shmem_request;
    prev_shmem_startup = shmem_startup_hook;
    shmem_startup_hook = hoopguard_shmem_startup;
}
