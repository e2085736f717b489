// There is a transaction, and shared catalogs can be read, but there is no database and no session user yet.
#include "pipeline_login.hpp"

#include "approve/admission_pg.hpp"
#include "approve/resting_pg.hpp"
#include "classify/connection_pg.hpp"
#include "decide/decide_pg.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pipeline.hpp"
#include "policy/in_force_pg.hpp"

#include <algorithm>

extern "C" {
#include "access/xact.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace hoopguard {

namespace {

// Who may log in somewhere else, and ask there, is told so.
void pronounce_login(const decide::Decision& decision, const classify::Footprint& login) {
    decide::Decision told = decision;
    told.detail = "It is " + decision.reason + ".";
    if (decision.asks()) {
        auto const& database = login.objects.front().name;
        if (told.message.starts_with("statement needs"))
            told.message = "logging in needs a just-in-time grant: guardrail \"" + told.guardrail + "\"";
        told.hint =
            "From a database that you may log in to: SELECT hoopguard.request_access(classes => '{login}', "
            "objects => '{" +
            database + "}', reason => '...');";
    }
    pronounce(told);
}

// The grants that let the actor in; none when it needs none.
std::vector<std::uint64_t> admit(const identify::Actor& actor, const char* database) {
    auto const login = classify::classify_login(database);
    auto const& decision = decide::decide(actor, login);
    // A warning would reach nobody: the client is still logging in.
    if (decision.refuses()) pronounce_login(decision, login);
    return decision.grants;
}

void decide_options(const identify::Actor& actor, const Port* port) {
    auto const footprint = classify::classify_connection(port);
    if (footprint.classes.empty()) return;
    auto const& decision = decide::decide(actor, footprint);
    if (decision.refuses()) pronounce(decision);
}

// The first moment at which one of the grants is over, in seconds since 1970.
std::int64_t first_end(const std::vector<std::uint64_t>& grants) {
    auto const* const image = policy::in_force();
    auto end = DT_NOEND;
    for (auto const grant : grants)
        if (auto const row = image != nullptr ? approve::find_grant(*image, grant) : std::nullopt)
            end = std::min(end, approve::end_of(*row));
    return static_cast<std::int64_t>(timestamptz_to_time_t(end));
}

}  // namespace

void decide_login(const Port* port) {
    auto actor = identify::known_actor();
    actor.login_role = pg::call([port] { return get_role_oid(port->user_name, true); });
    if (actor.login_role == InvalidOid) return;
    auto const* const speaks = identify::bearer();
    actor.effective_role = actor.outer_role = speaks != nullptr ? speaks->role_oid : actor.login_role;
    if (!identify::is_rescuer()) approve::admit_by(admit(actor, port->database_name));
    decide_options(actor, port);
}

void decide_login_by_token() {
    auto const grants = admit(identify::current_actor(), std::string(identify::known_session().database).c_str());
    if (grants.empty()) return;
    // A transaction's speaker goes with the transaction, which a pooler's session outlives.
    if (pg::call([] { return IsTransactionBlock(); }))
        identify::end_login_at(first_end(grants));
    else
        approve::admit_by(grants);
}

}  // namespace hoopguard
