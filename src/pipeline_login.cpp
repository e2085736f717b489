// There is a transaction, and shared catalogs can be read, but there is no database and no session user yet.
#include "pipeline_login.hpp"

#include "classify/connection_pg.hpp"
#include "decide/decide_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pipeline.hpp"

extern "C" {
#include "utils/acl.h"
}

namespace hoopguard {

void decide_login(const Port* port) {
    auto const footprint = classify::classify_connection(port);
    if (footprint.classes.empty()) return;
    auto actor = identify::known_actor();
    actor.login_role = pg::call([port] { return get_role_oid(port->user_name, true); });
    if (actor.login_role == InvalidOid) return;
    actor.effective_role = actor.outer_role = actor.login_role;
    auto const& decision = decide::decide(actor, footprint);
    // A warning would reach nobody: the client is still logging in.
    if (decision.refuses()) pronounce(decision);
}

}  // namespace hoopguard
