// Who speaks in this backend, from what the client sent and the roles PostgreSQL authenticated.
// Plain data per process: a fork starts with the postmaster's, which is empty.
#include "identify/session_pg.hpp"

#include "identify/bearing_pg.hpp"
#include "identify/errand_pg.hpp"
#include "identify/rehearsal_pg.hpp"
#include "pg/boundary.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

extern "C" {
#include "access/parallel.h"
#include "commands/dbcommands.h"
#include "libpq/hba.h"
#include "postmaster/bgworker.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace hoopguard::identify {

namespace {

struct Speaker {
    Actor actor;
    Session session;
    char name[NAMEDATALEN];
    char login_role[NAMEDATALEN];
    char effective_role[NAMEDATALEN];
    char database[NAMEDATALEN];
    char application_name[NAMEDATALEN];
    char definer_role[NAMEDATALEN];
    Oid definer_role_oid;
    bool watching;  // told of changes in the catalog
    bool stale;     // roles or databases may have been renamed, or lost a property
    std::uint64_t bearer_change;
    std::uint64_t generation;  // of the policy that the kind was looked up in
};

constinit Speaker speaker = {};

void catalog_changed(Datum, int, uint32) noexcept {
    speaker.stale = true;
}

bool is_own_worker() noexcept {
    if (MyBgworkerEntry == nullptr) return false;
    std::string_view const library = MyBgworkerEntry->bgw_library_name;
    return library == "hoopguard" || library.ends_with("/hoopguard");
}

void copy_name(char (&to)[NAMEDATALEN], std::string_view& view, const char* name) noexcept {
    strlcpy(to, name != nullptr ? name : "", NAMEDATALEN);
    view = to;
}

void name_actor();

void look_up(Oid login_role, Oid effective_role) {
    struct Found {
        char name[NAMEDATALEN];
        char login_role[NAMEDATALEN];
        char effective_role[NAMEDATALEN];
        char database[NAMEDATALEN];
        bool superuser;
    };
    if (!speaker.watching) {
        pg::call([] {
            CacheRegisterSyscacheCallback(AUTHOID, catalog_changed, 0);
            CacheRegisterSyscacheCallback(DATABASEOID, catalog_changed, 0);
        });
        speaker.watching = true;
    }
    speaker.stale = false;
    speaker.definer_role_oid = InvalidOid;
    auto const found = pg::call([=] {
        Found result = {};
        auto const copy = [](char* to, const char* from) {
            strlcpy(to, from != nullptr ? from : "", NAMEDATALEN);
        };
        copy(result.name, GetUserNameFromId(authenticated_role(), true));
        copy(result.login_role, GetUserNameFromId(login_role, true));
        copy(result.effective_role, GetUserNameFromId(effective_role, true));
        copy(result.database, OidIsValid(MyDatabaseId) ? get_database_name(MyDatabaseId) : nullptr);
        result.superuser = superuser_arg(authenticated_role());
        return result;
    });
    Session& session = speaker.session;
    bool const same = session.login_role_oid == login_role && session.effective_role_oid == effective_role &&
                      std::string_view(speaker.name) == found.name && session.login_role == found.login_role &&
                      session.effective_role == found.effective_role && session.database == found.database;
    if (!same) ++session.change;
    copy_name(speaker.login_role, session.login_role, found.login_role);
    copy_name(speaker.effective_role, session.effective_role, found.effective_role);
    copy_name(speaker.database, session.database, found.database);
    session.login_role_oid = login_role;
    session.effective_role_oid = effective_role;
    session.database_oid = MyDatabaseId;
    // Whoever logged in stays the actor, whatever SET SESSION AUTHORIZATION says.
    strlcpy(speaker.name, found.name, NAMEDATALEN);
    speaker.actor.login_role = login_role;
    speaker.actor.superuser = found.superuser;
    if (!same) name_actor();
}

void look_up_definer(Oid role) {
    struct Found {
        char name[NAMEDATALEN];
    };
    auto const found = pg::call([role] {
        Found result = {};
        const char* const name = GetUserNameFromId(role, true);
        strlcpy(result.name, name != nullptr ? name : "", NAMEDATALEN);
        return result;
    });
    strlcpy(speaker.definer_role, found.name, NAMEDATALEN);
    speaker.definer_role_oid = role;
}

// A database role's kind, as hoopguard.actor has it.
ActorKind registered_kind(std::string_view role) {
    const policy::Image* const image = policy::in_force_or_none();
    if (image == nullptr) return ActorKind::kHuman;
    auto const actors = image->section(policy::SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        auto const row = actors[i];
        if (!row.is_null(policy::ActorField::kProvider) || row.text(policy::ActorField::kName) != role) continue;
        for (auto const kind : {ActorKind::kAgent, ActorKind::kService})
            if (row.text(policy::ActorField::kKind) == to_text(kind)) return kind;
    }
    return ActorKind::kHuman;
}

// Who speaks: the subject of the token, or else the role that logged in.
void name_actor() {
    Actor& actor = speaker.actor;
    if (const Bearer* const one = bearer()) {
        actor.provider = one->provider;
        actor.name = one->subject;
        actor.groups = one->groups;
        actor.on_behalf_of = one->on_behalf_of;
        actor.token_id = one->token_id;
        actor.expires_at = one->expires_at;
        actor.kind = one->kind;
        actor.own_role = one->own_role ? one->role_oid : 0;
    } else {
        actor.provider = actor.token_id = {};
        actor.on_behalf_of = errand_asked_by();
        actor.name = speaker.name;
        actor.groups = {};
        actor.expires_at = 0;
        actor.own_role = 0;
        actor.kind = registered_kind(actor.name);
    }
    actor.guarded = actor.kind == ActorKind::kAgent;
    speaker.bearer_change = bearer_change();
    speaker.generation = policy::generation_in_force();
    ++speaker.session.change;
}

void describe_process(Session& session) noexcept {
    session.pid = static_cast<std::uint32_t>(MyProcPid);
    session.backend_type =
        MyBgworkerEntry != nullptr ? MyBgworkerEntry->bgw_type : GetBackendTypeDesc(MyBackendType);
}

}  // namespace

[[gnu::hot]] std::uint64_t session_id() noexcept {
    return static_cast<std::uint64_t>(MyStartTime) << 32 | static_cast<std::uint32_t>(MyProcPid);
}

[[gnu::hot]] bool is_recorded_process() noexcept {
    return !IsParallelWorker() && (!is_own_worker() || is_errand());
}

void learn_connection(const Port* port) noexcept {
    Session& session = speaker.session;
    copy_name(speaker.login_role, session.login_role, port->user_name);
    copy_name(speaker.effective_role, session.effective_role, port->user_name);
    copy_name(speaker.database, session.database, port->database_name);
    copy_name(speaker.application_name, session.application_name, port->application_name);
    if (port->raddr.addr.ss_family != AF_UNIX) {
        session.client_address = port->remote_host != nullptr ? port->remote_host : "";
        session.client_port = port->remote_port != nullptr ? port->remote_port : "";
    }
    // The method's name is a constant; the line itself is freed once the session has begun.
    session.auth_method = port->hba != nullptr ? hba_authname(port->hba->auth_method) : "";
    const char* const id = pg::authenticated_id(port);
    session.authenticated_id = id != nullptr ? id : "";
#ifdef USE_SSL
    session.tls = port->ssl_in_use ? be_tls_get_version(const_cast<Port*>(port)) : "";
#endif
    describe_process(session);
    ++session.change;
    copy_name(speaker.name, speaker.actor.name, port->user_name);
}

void learn_bearer() noexcept {
    if (bearer() != nullptr) name_actor();
}

void learn_login_role(const Port* port) {
    speaker.actor.superuser = pg::call([port] {
        Oid const role = get_role_oid(port->user_name, true);
        return OidIsValid(role) && superuser_arg(role);
    });
}

[[gnu::hot]] const Actor& current_actor() {
    if (const Actor* const assumed = assumed_actor()) [[unlikely]]
        return *assumed;
    Session& session = speaker.session;
    Oid const login_role = GetSessionUserId();
    Oid const effective_role = GetOuterUserId();
    bool const changed = session.login_role_oid != login_role || session.effective_role_oid != effective_role ||
                         session.database_oid != MyDatabaseId || speaker.stale;
    // Names cannot be had in a failed transaction; the next one looks.
    if (changed && IsTransactionState()) look_up(login_role, effective_role);
    if (speaker.bearer_change != bearer_change() || speaker.generation != policy::generation_in_force())
        name_actor();
    if (session.pid == 0) describe_process(session);
    if (application_name != nullptr && std::strcmp(application_name, speaker.application_name) != 0) {
        copy_name(speaker.application_name, session.application_name, application_name);
        ++session.change;
    }
    Oid const current = GetUserId();
    speaker.actor.effective_role = current;
    speaker.actor.outer_role = effective_role;
    speaker.actor.definer_role = {};
    if (current != effective_role && IsTransactionState()) [[unlikely]] {
        if (speaker.definer_role_oid != current) look_up_definer(current);
        speaker.actor.definer_role = speaker.definer_role;
    }
    return speaker.actor;
}

[[gnu::hot]] const Actor& known_actor() noexcept {
    return speaker.actor;
}

[[gnu::hot]] const Session& known_session() noexcept {
    return speaker.session;
}

[[gnu::hot]] const policy::Image* policy_for_session() {
    try {
        return policy::in_force();
    } catch (const pg::Refusal&) {
        if (!is_rescuer()) throw;
    }
    return nullptr;
}

[[gnu::hot]] bool is_rescuer() noexcept {
    return MyProcPort != nullptr && MyProcPort->raddr.addr.ss_family == AF_UNIX && speaker.actor.superuser;
}

}  // namespace hoopguard::identify
