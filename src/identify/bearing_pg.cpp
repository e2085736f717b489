// The bearers of this process. Plain data until a token comes: a fork starts with the postmaster's, which is
// empty.
#include "identify/bearing_pg.hpp"

#include "identify/credential_pg.hpp"
#include "identify/errand_pg.hpp"
#include "identify/examine_pg.hpp"
#include "identify/identity_role_pg.hpp"
#include "identify/lock_pg.hpp"
#include "identify/own_role_pg.hpp"
#include "identify/role_guard_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"

#include <csignal>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>
#include <optional>
#include <vector>

extern "C" {
#include "access/xact.h"
#include "libpq/hba.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
}

namespace hoopguard::identify {
namespace {

struct Held {
    Bearer bearer;
    int level = 0;         // of the transaction that it ends with
    bool lasting = false;  // becomes the session's when that commits
};

struct Bearing {
    std::unique_ptr<Bearer> offered;     // verified for a connection that is being made
    std::unique_ptr<Bearer> connection;  // logged in with
    std::unique_ptr<Bearer> session;     // brought by login()
    std::vector<Held> held;              // the last one speaks
    std::string user;                    // that `offered` is for
};

// Made when the first token comes; never freed.
Bearing* bearing = nullptr;
std::uint64_t change = 0;
std::uint64_t shown_change = 0;  // in pg_stat_activity
char reason[512];
int expiry_timer = -1;

Bearing& the_bearing() {
    if (bearing == nullptr) bearing = new Bearing();
    return *bearing;
}

void note_reason(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), sizeof reason - 1);
    std::memcpy(reason, text.data(), size);
    reason[size] = '\0';
}

void arm_expiry() noexcept {
    const Bearer* const speaks = bearer();
    if (expiry_timer < 0) return;
    const auto timer = static_cast<TimeoutId>(expiry_timer);
    if (speaks != nullptr)
        enable_timeout_at(timer, time_t_to_timestamptz(static_cast<pg_time_t>(speaks->expires_at)));
    else
        disable_timeout(timer, false);
}

void changed() noexcept {
    ++change;
    arm_expiry();
}

[[noreturn]] void refuse_identity(const char* message, const char* hint = nullptr) {
    throw pg::Refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, message, nullptr, hint);
}

// A role that a session may have: it exists and is no superuser.
Oid usable_role(const std::string& role) {
    const char* const name = role.c_str();
    const Oid usable = pg::call([name] {
        const Oid found = get_role_oid(name, true);
        return OidIsValid(found) && !superuser_arg(found) ? found : InvalidOid;
    });
    if (!OidIsValid(usable))
        note_reason("role \"" + role + "\" of hoopguard.role_map does not exist or is a superuser");
    return usable;
}

void demand_encryption() {
    if (MyProcPort != nullptr && MyProcPort->raddr.addr.ss_family != AF_UNIX && !MyProcPort->ssl_in_use)
        refuse_identity("a token is accepted over TLS alone");
}

// Gives a bearer its role: the one that is mapped, or one of its own that is a member of it.
bool give_role(Bearer& one) {
    if (!OidIsValid(usable_role(one.mapped_role))) return false;
    if (!one.own_role) take_own_role(one);
    one.role_oid = usable_role(one.role);
    return OidIsValid(one.role_oid);
}

void add_option(Port* port, const char* name, const char* value) {
    pg::call([=] {
        MemoryContext const before = MemoryContextSwitchTo(TopMemoryContext);
        port->guc_options = lappend(port->guc_options, pstrdup(name));
        port->guc_options = lappend(port->guc_options, pstrdup(value));
        MemoryContextSwitchTo(before);
    });
}

void admit_offered(Port* port, Oid login_role) {
    Bearing& all = the_bearing();
    if (pg::call([login_role] { return superuser_arg(login_role); })) {
        note_reason("a superuser does not log in with a token");
        refuse_identity("the token is not accepted for this role");
    }
    if (!give_role(*all.offered)) refuse_identity("the token is not accepted for this role");
    all.connection = std::move(all.offered);
    add_option(port, "role", all.connection->role.c_str());
    const char* const subject = all.connection->subject.c_str();
    pg::call([port, subject] { pg::set_authenticated_id(port, subject); });
    note_reason("");
    changed();
}

// The identity that stands behind a credential which the client has logged in with; null: it is none.
std::unique_ptr<Bearer> bearer_of_credential(const Port* port, Oid login_role) {
    if (!OidIsValid(login_role)) return nullptr;
    auto found = examine_credential(port->user_name, login_role);
    if (!found) return nullptr;
    note_reason(found->reason);
    if (!found->bearer) refuse_identity("the credential is not accepted");
    const UserAuth method = port->hba != nullptr ? port->hba->auth_method : uaReject;
    if (method != uaSCRAM && method != uaMD5 && method != uaPassword) {
        note_reason("a credential of hoopguard was not asked for its password: see pg_hba.conf");
        refuse_identity("the credential is not accepted");
    }
    return std::make_unique<Bearer>(std::move(*found->bearer));
}

}  // namespace

extern "C" {

// Ends the session as pg_terminate_backend() does: at the next safe point, also while it waits for its client.
static void hoopguard_identity_expired() {
    kill(MyProcPid, SIGTERM);
}

}  // extern "C"

[[gnu::hot]] const Bearer* bearer() noexcept {
    if (bearing == nullptr) [[likely]]
        return errand_bearer();
    if (!bearing->held.empty()) return &bearing->held.back().bearer;
    if (bearing->session) return bearing->session.get();
    return bearing->connection.get();
}

Oid speaking_role() noexcept {
    const Bearer* const speaks = bearer();
    return speaks != nullptr ? speaks->role_oid : authenticated_role();
}

[[gnu::hot]] std::uint64_t bearer_change() noexcept {
    return change;
}

bool offer_password(const char* user, const char* password) noexcept {
    try {
        the_bearing().offered.reset();
        note_reason("the connection is not encrypted: a token is accepted over TLS alone");
        if (MyProcPort == nullptr || !MyProcPort->ssl_in_use) return false;
        note_reason("not verified");
        Examination result = examine(password);
        note_reason(result.reason);
        if (!result.bearer) return false;
        the_bearing().offered = std::make_unique<Bearer>(std::move(*result.bearer));
        the_bearing().user = user;
        return true;
    } catch (const std::exception& failure) {
        note_reason(failure.what());
    } catch (...) {
        note_reason("the token could not be verified");
    }
    return false;
}

std::string_view offered_subject() noexcept {
    return bearing != nullptr && bearing->offered ? std::string_view(bearing->offered->subject)
                                                  : std::string_view();
}

std::string_view refusal_reason() noexcept {
    return reason;
}

void admit_bearer(Port* port) {
    const Oid login_role = pg::call([port] { return get_role_oid(port->user_name, true); });
    // Does not wait for a policy that a rescuer would not be refused by.
    const IdentityRole role = is_rescuer() ? IdentityRole() : identity_role(login_role);
    if (expiry_timer < 0)
        expiry_timer =
            pg::call([] { return static_cast<int>(RegisterTimeout(USER_TIMEOUT, hoopguard_identity_expired)); });
    if (bearing != nullptr && bearing->offered && bearing->user == port->user_name)
        return admit_offered(port, login_role);
    if (auto bearer = bearer_of_credential(port, login_role)) {
        the_bearing().offered = std::move(bearer);
        return admit_offered(port, login_role);
    }
    if (role.needs_token_to_log_in) {
        note_reason("the role must come with a token, and none was verified for this connection");
        refuse_identity(
            pg::format("role \"%s\" logs in with a token of its identity provider", port->user_name),
            "Use the token as password, over TLS; pg_hba.conf needs a line hostssl ... pam pamservice=hoopguard.");
    }
}

Credential issue_credential(std::string_view token) {
    demand_encryption();
    Examination result = examine(token);
    note_reason(result.reason);
    if (!result.bearer || !OidIsValid(usable_role(result.bearer->mapped_role)))
        refuse_identity("the token is not accepted", "The journal says why.");
    Actor actor;
    actor.provider = result.bearer->provider;
    actor.name = result.bearer->subject;
    refuse_locked_login(actor, {});
    return make_credential(*result.bearer);
}

void login(std::string_view token) {
    demand_encryption();
    const bool local = pg::call([] { return IsTransactionBlock(); });
    const IdentityRole role = identity_role(GetAuthenticatedUserId());
    if (role.pooled && !local)
        refuse_identity("this login role is pooled: a token holds for a transaction alone",
                        "BEGIN, then SELECT hoopguard.login(...) in each transaction.");
    Examination result = examine(token);
    note_reason(result.reason);
    if (!result.bearer) refuse_identity("the token is not accepted", "The journal says why.");
    if (pg::call([] { return superuser_arg(GetAuthenticatedUserId()); }))
        refuse_identity("a superuser does not log in with a token");
    if (!give_role(*result.bearer)) refuse_identity("the token is not accepted", "The journal says why.");
    const std::string name = result.bearer->role;
    the_bearing().held.push_back({std::move(*result.bearer), GetCurrentTransactionNestLevel(), !local});
    changed();
    take_role(name.c_str(), local);
}

void end_login_at(std::int64_t moment) noexcept {
    if (bearing == nullptr || bearing->held.empty()) return;
    Bearer& speaks = bearing->held.back().bearer;
    if (moment >= speaks.expires_at) return;
    speaks.expires_at = moment;
    changed();
}

void log_out() {
    if (bearing == nullptr || (!bearing->session && bearing->held.empty())) return;
    bearing->session.reset();
    bearing->held.clear();
    changed();
    take_role(nullptr, false);
}

[[gnu::hot]] void transaction_ended(bool committed) noexcept {
    if (bearing == nullptr || bearing->held.empty()) return;
    if (committed && bearing->held.back().lasting) {
        std::unique_ptr<Bearer> kept(new (std::nothrow) Bearer(std::move(bearing->held.back().bearer)));
        if (kept) bearing->session = std::move(kept);
    }
    bearing->held.clear();
    changed();
}

void subtransaction_ended(int level, bool committed) noexcept {
    if (bearing == nullptr || bearing->held.empty()) return;
    for (Held& one : bearing->held)
        if (one.level >= level && committed) one.level = level - 1;
    if (committed) return;
    const std::size_t before = bearing->held.size();
    while (!bearing->held.empty() && bearing->held.back().level >= level) bearing->held.pop_back();
    if (bearing->held.size() != before) changed();
}

[[gnu::hot]] void hold_to_bearer() {
    const Bearer* const speaks = bearer();
    if (shown_change != change) {
        show_role(speaks);
        shown_change = change;
    }
    if (speaks == nullptr) return;
    if (std::time(nullptr) >= speaks->expires_at) {
        kill(MyProcPid, SIGTERM);
        refuse_identity("the identity of this session has expired", "Connect again with a new token.");
    }
    hold_role();
}

void rearm_expiry() noexcept {
    if (bearer() != nullptr) arm_expiry();
}

}  // namespace hoopguard::identify
