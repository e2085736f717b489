// What is known of a session's roles by grant is kept until the policy, any role or the session's role changes.
#include "approve/elevation_pg.hpp"

#include "approve/standing_roles_pg.hpp"
#include "decide/leave.hpp"
#include "decide/memberships_pg.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <optional>
#include <string>

extern "C" {
#include "commands/dbcommands.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/timestamp.h"
}

namespace hoopguard::approve {

namespace {

using policy::ClassSet;
using policy::GrantField;
using policy::StatementClass;

constexpr long kPatience = 3000;  // milliseconds for the broker to take roles back

// These change who may do what, or let data flow on, for good.
constexpr ClassSet kSpreading =
    ClassSet(StatementClass::kGrant) | StatementClass::kRole | StatementClass::kReplication;
// These leave objects behind.
constexpr ClassSet kLasting = ClassSet(StatementClass::kDdlCreate) | StatementClass::kDdlAlter |
                              StatementClass::kCode | StatementClass::kPolicy;

struct RoleGrant {
    std::uint64_t grant;
    std::uint64_t valid_until;  // microseconds since 1970-01-01 UTC; kUnlimited: none
    Oid role;
};

struct Elevation {
    std::uint64_t generation = 0;
    std::uint64_t roles_epoch = 0;
    Oid login = InvalidOid;
    std::vector<RoleGrant> grants;
    std::vector<Oid> standing;  // roles held without the grants; empty when there are no grants
    decide::Leave leave;
};

[[gnu::hot]] Elevation& elevation() {
    static Elevation one;
    return one;
}

bool ever_elevated = false;
std::uint64_t seen_generation = 0;

std::uint64_t now() noexcept {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    return static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
}

std::string name_of(Oid role) {
    return pg::call([role]() -> const char* {
        auto const* const name = GetUserNameFromId(role, true);
        return name != nullptr ? name : "";
    });
}

// The role that grants of roles are made to: of a session that has a role of its own, that one.
Oid holder_of(const identify::Actor& actor) noexcept {
    return OidIsValid(actor.own_role) ? actor.own_role : actor.login_role;
}

bool gives_role(const policy::Row& grant, std::string_view member) noexcept {
    return grant.word(GrantField::kMade) != 0 && grant.text(GrantField::kMember) == member;
}

// The first of the member's grants of roles that is over, in the policy in force.
std::optional<std::uint64_t> overdue(const policy::Image* image, std::string_view member) {
    if (image == nullptr) return std::nullopt;
    auto const grants = image->section(policy::SectionId::kGrants);
    for (std::uint32_t i = 0; i < grants.size(); ++i)
        if (gives_role(grants[i], member) && !decide::is_valid(grants[i], now()))
            return grants[i].word(GrantField::kId);
    return std::nullopt;
}

// The grant that stayed; none when all were taken back in time.
std::optional<std::uint64_t> wait_for_broker(std::string_view member) {
    auto const deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPatience);
    for (;;) {
        auto const generation = policy::generation_in_force();
        auto const grant = overdue(policy::in_force(), member);
        auto const left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
        if (!grant || left <= 0) return grant;
        policy::wait_for_other_generation(generation, left);
    }
}

void look_up(Elevation& found, const identify::Actor& actor, const policy::Image& image) {
    found.grants.clear();
    found.standing.clear();
    auto const login = name_of(holder_of(actor));
    auto const grants = image.section(policy::SectionId::kGrants);
    for (std::uint32_t i = 0; i < grants.size(); ++i) {
        if (!gives_role(grants[i], login)) continue;
        std::string const role(grants[i].text(GrantField::kRole));
        Oid const oid = pg::call([&role] { return get_role_oid(role.c_str(), true); });
        if (OidIsValid(oid))
            found.grants.push_back(
                {grants[i].word(GrantField::kId), grants[i].word(GrantField::kValidUntil), oid});
    }
    if (found.grants.empty()) return;
    ever_elevated = true;
    struct Oids {
        const ListCell* cells;
        int count;
    };
    auto const standing = pg::call([&found, &actor] {
        List* granted = NIL;
        for (auto const& one : found.grants) granted = lappend_oid(granted, one.role);
        List* const roles = standing_roles(holder_of(actor), granted);
        return Oids{list_head(roles), list_length(roles)};
    });
    for (int i = 0; i < standing.count; ++i) found.standing.push_back(standing.cells[i].oid_value);
    auto const* const database = pg::call([] { return get_database_name(MyDatabaseId); });
    found.leave = decide::Leave(
        image, {actor.provider, actor.name, database != nullptr ? database : "", identify::session_id()});
}

[[gnu::noinline]] const Elevation& look_anew(Elevation& found, const identify::Actor& actor) {
    auto const epoch = decide::roles_epoch();
    found.generation = 0;
    auto const* const image = identify::policy_for_session();
    if (image == nullptr) return found = Elevation();
    look_up(found, actor, *image);
    found.login = holder_of(actor);
    found.roles_epoch = epoch;
    found.generation = image->generation();
    return found;
}

[[gnu::hot]] const Elevation& look(const identify::Actor& actor) {
    auto& found = elevation();
    bool const holds = found.generation == policy::generation_in_force() &&
                       found.roles_epoch == decide::roles_epoch() && found.login == holder_of(actor);
    return holds ? found : look_anew(found, actor);
}

bool stands(const Elevation& held, Oid role) {
    return std::ranges::find(held.standing, role) != held.standing.end();
}

// In the current memory context; inside pg::call.
List* list_of(const std::vector<Oid>& oids) {
    List* list = NIL;
    for (Oid const one : oids) list = lappend_oid(list, one);
    return list;
}

bool is_way_out(const classify::Statement& statement) {
    if (!statement.is_utility()) return false;
    switch (nodeTag(statement.plan->utilityStmt)) {
        case T_TransactionStmt:
        case T_VariableSetStmt:
        case T_VariableShowStmt:
        case T_DiscardStmt:
        case T_ClosePortalStmt:
        case T_DeallocateStmt: return true;
        default: return false;
    }
}

// SET ROLE to a role that the session's user has lost since.
bool has_lost_role() {
    Oid const session = identify::speaking_role();
    Oid const outer = GetOuterUserId();
    return session != outer &&
           pg::call([=] { return !superuser_arg(session) && !is_member_of_role_nosuper(session, outer); });
}

const decide::Decision& refuse(const classify::Footprint& footprint, bool enforced, std::string message,
                               std::string reason, std::string hint) {
    static decide::Decision refused;
    refused = {};
    refused.verdict = decide::Verdict::kBlock;
    refused.enforced = enforced;
    refused.guardrail = "jit_grant";
    refused.message = std::move(message);
    refused.reason = std::move(reason);
    refused.hint = std::move(hint);
    return refused;
}

bool is_function(const classify::ObjectName& object) noexcept {
    return object.kind == "function" || object.kind == "procedure" || object.kind == "aggregate";
}

// The classes of `object` that would outlive the grants.
ClassSet lasting_classes(const Elevation& held, const classify::ObjectName& object, bool by_granted_role) {
    auto const lasting = object.name.starts_with("pg_temp.") ? ClassSet() : object.classes & kLasting;
    if (lasting.empty() || by_granted_role) return lasting;
    auto const* const name = object.name.c_str();
    bool const function = is_function(object);
    bool const covered =
        pg::call([&held, name, function] { return covers_object(list_of(held.standing), name, function); });
    return covered ? ClassSet() : lasting;
}

struct Outliving {
    ClassSet classes;
    const classify::ObjectName* object = nullptr;
};

// What of the statement would outlive the grants and was not asked for by name.
Outliving outliving(const Elevation& held, const classify::Statement& statement,
                    const classify::Footprint& footprint) {
    bool const by_granted_role = !stands(held, GetOuterUserId());
    std::vector<std::uint32_t> used;
    auto const time = now();
    ClassSet rest = footprint.classes & (by_granted_role ? kSpreading | kLasting : kSpreading);
    // Code that runs once; what it does is judged by itself.
    if (statement.tag == CMDTAG_DO || statement.tag == CMDTAG_LOAD) rest = rest - StatementClass::kCode;
    for (auto const& object : footprint.objects) {
        auto const mine = (object.classes & kSpreading) | lasting_classes(held, object, by_granted_role);
        auto const unasked = held.leave.uncovered(mine, &object, time, used);
        if (!unasked.empty()) return {unasked, &object};
        rest = rest - object.classes;
    }
    return {held.leave.uncovered(rest, nullptr, time, used), nullptr};
}

std::string described(const Outliving& what) {
    std::string text;
    for (auto const name : policy::names_of(what.classes)) text.append(text.empty() ? "" : ", ").append(name);
    if (what.object != nullptr)
        text.append(" of ").append(what.object->kind).append(" ").append(what.object->name);
    return text;
}

// Once a grant has given this session a role.
[[gnu::noinline]] const decide::Decision& judge_elevated(const Elevation& held, const identify::Actor& actor,
                                                         const classify::Statement& statement,
                                                         const classify::Footprint& footprint,
                                                         const decide::Decision& decision) {
    if (has_lost_role() && !is_way_out(statement))
        return refuse(footprint, true,
                      "the just-in-time grant that this session's role \"" + name_of(GetOuterUserId()) +
                          "\" rests on has ended",
                      "run as a role that " + std::string(actor.name) + " is no member of any more",
                      "RESET ROLE, or request access again with hoopguard.request_access().");
    if (held.grants.empty()) return decision;
    auto const what = outliving(held, statement, footprint);
    if (what.classes.empty()) return decision;
    return refuse(footprint, pg::settings.guard_mode() == pg::Mode::kEnforce,
                  "what this statement does would outlive a just-in-time grant", described(what),
                  "What stays when the grant ends must be asked for by name: the classes argument of "
                  "hoopguard.request_access().");
}

[[gnu::noinline]] bool needs_grant(const Elevation& held, const classify::Statement& statement,
                                   const classify::Footprint& footprint) {
    if (!stands(held, GetOuterUserId())) return true;
    if (statement.query == nullptr) return statement.is_utility() && !footprint.objects.empty();
    return pg::call([&held, &statement] {
        List* const standing = list_of(held.standing);
        for (int i = 0; i < pg::permission_count(statement.plan); ++i) {
            auto const wanted = pg::permission(statement.plan, i);
            Oid const role = pg::permission_role(statement.plan, i);
            if (wanted.required == 0 || (OidIsValid(role) && role != GetSessionUserId())) continue;
            if (!covers_relation(standing, wanted.relation, wanted.required)) return true;
        }
        return false;
    });
}

}  // namespace

[[gnu::hot]] void settle_roles(const identify::Actor& actor) {
    auto const generation = policy::generation_in_force();
    auto const& held = elevation();
    bool const over =
        !held.grants.empty() && std::ranges::any_of(held.grants, [time = now()](const RoleGrant& grant) {
            return grant.valid_until <= time;
        });
    if (over && held.login == holder_of(actor)) {
        if (auto const grant = wait_for_broker(name_of(holder_of(actor))))
            throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                              pg::format("just-in-time grant %llu has ended and is not taken back yet",
                                         static_cast<unsigned long long>(*grant)),
                              nullptr,
                              "The hoopguard broker takes it back as soon as it runs; see the server's log.");
    } else if (generation == seen_generation) {
        return;
    }
    seen_generation = policy::generation_in_force();
    // Locks that the transaction holds already bring no news of roles.
    if (IsTransactionState()) pg::call([] { AcceptInvalidationMessages(); });
}

void settle_login(std::string_view role) {
    std::optional<std::uint64_t> grant;
    try {
        grant = wait_for_broker(role);
    } catch (const pg::Refusal&) {
        // Without the policy in force its statements are refused.
    }
    if (!grant) return;
    throw pg::Refusal(
        ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        pg::format("role \"%.*s\" cannot log in: its just-in-time grant %llu has ended and is not taken back yet",
                   static_cast<int>(role.size()), role.data(), static_cast<unsigned long long>(*grant)),
        nullptr, "The hoopguard broker takes it back as soon as it runs; see the server's log.");
}

[[gnu::hot]] const decide::Decision& judge(const identify::Actor& actor, const classify::Statement& statement,
                                           const classify::Footprint& footprint,
                                           const decide::Decision& decision) {
    // A failed transaction can only be ended.
    if (!IsTransactionState()) return decision;
    auto const& held = look(actor);
    if (!ever_elevated || (decision.refuses() && decision.verdict == decide::Verdict::kBlock)) return decision;
    return judge_elevated(held, actor, statement, footprint, decision);
}

[[gnu::hot]] const std::vector<std::uint64_t>& role_grants(const identify::Actor& actor,
                                                           const classify::Statement& statement,
                                                           const classify::Footprint& footprint) {
    static std::vector<std::uint64_t> grants;
    grants.clear();
    if (!IsTransactionState()) return grants;
    auto const& held = look(actor);
    if (held.grants.empty() || is_way_out(statement) || !needs_grant(held, statement, footprint)) return grants;
    for (auto const& one : held.grants) grants.push_back(one.grant);
    return grants;
}

}  // namespace hoopguard::approve
