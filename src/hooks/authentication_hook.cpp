// Logins: recorded once every other check of the connection has passed. One that fails ends in an error, which
// the error hook records; a client that leaves without an answer, as libpq does to ask for a password, never
// tried.
#include "hooks/hooks.hpp"
#include "mask/privileges_pg.hpp"
#include "pg/boundary.hpp"
#include "pipeline.hpp"

extern "C" {
#include "libpq/auth.h"
#include "replication/walsender.h"
}

namespace {

ClientAuthentication_hook_type prev_ClientAuthentication = nullptr;

}  // namespace

extern "C" {

static void hoopguard_ClientAuthentication(Port* port, int status) {
    if (prev_ClientAuthentication) prev_ClientAuthentication(port, status);
    if (status != STATUS_OK) return;
    hoopguard::pg::entry(hoopguard::pg::Door::kGate, "login", [port] { hoopguard::admit_login(port); });
    if (am_walsender)
        hoopguard::pg::entry(hoopguard::pg::Door::kGate, "replication", [port] {
            hoopguard::pg::call([port] { hoopguard::mask::check_replication(port->user_name); });
        });
}

}  // extern "C"

void hoopguard::hooks::install_authentication() {
    prev_ClientAuthentication = ClientAuthentication_hook;
    ClientAuthentication_hook = hoopguard_ClientAuthentication;
}
