// Who speaks, and the mask rules chosen for it: kept for a handful of pairs of roles, until policy, roles or
// settings change.
#include "mask/in_force_pg.hpp"

#include "decide/memberships_pg.hpp"
#include "decide/unmasked.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/rehearsal_pg.hpp"
#include "identify/remembered_actor_pg.hpp"
#include "identify/session_pg.hpp"
#include "mask/columns_pg.hpp"
#include "mask/resolve.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <array>

extern "C" {
#include "commands/dbcommands.h"
#include "utils/inval.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace hoopguard::mask {

namespace {

// What rules are chosen from.
struct Key {
    Oid login;
    Oid effective;
    bool guarded;
    int mask_default;
    std::uint64_t generation;
    std::uint64_t roles_epoch;
    bool operator==(const Key&) const = default;
};

struct Choice {
    Key key = {};
    identify::RememberedActor actor;
    decide::Unmasked unmasked;  // by grants
    MaskRules rules;
};

constexpr std::size_t kChoices = 8;

// Made on first use, so that nothing is built before the server forks.
struct Choices {
    std::array<Choice, kChoices> kept;
    std::size_t next = 0;
};

Choices& choices() {
    static Choices all;
    return all;
}

// Plain data per process: the choice for whoever was last looked at.
const Choice* chosen = nullptr;
std::uint64_t in_force = 0;  // its fingerprint, when masks are enforced
bool observed = false;

// Whose masks these are: of whoever spoke with these roles and this token. Empty: of somebody else.
struct Looked {
    Oid session;
    Oid outer;
    Oid current;
    std::uint64_t bearer_change;
    bool operator==(const Looked&) const = default;
};
Looked looked = {};

Looked look_of_now() noexcept {
    return {GetSessionUserId(), GetOuterUserId(), GetUserId(), identify::bearer_change()};
}

void roles_changed(Datum, int, uint32) noexcept {
    if (chosen != nullptr) ResetPlanCache();
}

// An actor of kind agent, by the name of its database role.
bool is_agent(const policy::Image* image, std::string_view role) noexcept {
    if (image == nullptr) return false;
    policy::Section const actors = image->section(policy::SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        policy::Row const actor = actors[i];
        if (actor.is_null(policy::ActorField::kProvider) && actor.text(policy::ActorField::kName) == role &&
            actor.text(policy::ActorField::kKind) == "agent")
            return true;
    }
    return false;
}

std::string name_of(Oid role) {
    const char* const name = pg::call([role] { return GetUserNameFromId(role, true); });
    return name != nullptr ? name : "";
}

End end_of(Oid role, bool guarded, const policy::Image* image) {
    End end;
    end.superuser = pg::call([role] { return superuser_arg(role); });
    if (end.superuser) return end;
    end.roles = decide::memberships(role);
    end.covered = guarded || is_agent(image, name_of(role)) ||
                  pg::settings.mask_default == static_cast<int>(pg::MaskDefault::kEveryone);
    return end;
}

std::string database_name() {
    const char* const name =
        pg::call([] { return OidIsValid(MyDatabaseId) ? get_database_name(MyDatabaseId) : nullptr; });
    return name != nullptr ? name : "";
}

bool is_superuser(Oid role) {
    return pg::call([role] { return superuser_arg(role); });
}

std::uint64_t now() noexcept {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    return static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
}

// Superusers are never masked, nor refused when the policy cannot be had.
bool is_never_masked(const identify::Actor& actor) {
    return is_superuser(actor.login_role) && is_superuser(actor.effective_role);
}

Speaker speaker_of(const identify::Actor& actor, const policy::Image* image) {
    Speaker speaker;
    speaker.login = end_of(actor.login_role, actor.guarded, image);
    speaker.effective =
        actor.effective_role == actor.login_role ? speaker.login : end_of(actor.effective_role, false, image);
    // Whoever speaks by a token speaks as a member of its groups at both ends.
    for (End* end : {&speaker.login, &speaker.effective})
        for (const std::string& group : actor.groups) end->roles.push_back("group:" + group);
    speaker.database = database_name();
    return speaker;
}

[[gnu::noinline]] void choose(Choice& choice, const identify::Actor& actor) {
    choice.rules = {};
    choice.unmasked = {};
    choice.actor.remember(actor);
    if (is_never_masked(actor)) return;
    const policy::Image* const image = policy::in_force();
    Speaker speaker = speaker_of(actor, image);
    if (image != nullptr)
        choice.unmasked = decide::unmasked_for(
            *image, {actor.provider, actor.name, speaker.database, identify::session_id()}, now());
    speaker.unmasked = choice.unmasked.classes;
    choice.rules = MaskRules(image, speaker);
}

bool is_over(const Choice& choice) noexcept {
    return choice.unmasked.changes_at != policy::kUnlimited && choice.unmasked.changes_at <= now();
}

[[gnu::hot]] const Choice& choice_for(const identify::Actor& actor) {
    Key const key = {actor.login_role,          actor.effective_role,          actor.guarded,
                     pg::settings.mask_default, policy::generation_in_force(), decide::roles_epoch()};
    Choices& all = choices();
    for (Choice& one : all.kept) {
        if (!(one.key == key) || !one.actor.is(actor)) continue;
        if (!is_over(one)) return one;
        // A grant has ended: plans that show what it showed are made anew.
        one.key = {};
        pg::call([] { ResetPlanCache(); });
    }
    Choice& made = all.kept[all.next];
    made.key = {};
    choose(made, actor);
    made.key = key;
    all.next = (all.next + 1) % kChoices;
    return made;
}

}  // namespace

[[gnu::hot]] void look_at(const identify::Actor& actor) {
    chosen = nullptr;  // until it is known: nothing rests on another speaker's rules
    looked = {};
    in_force = 0;
    observed = false;
    const Choice& choice = choice_for(actor);
    bool const enforced = pg::settings.masking_mode() == pg::Mode::kEnforce;
    in_force = enforced ? choice.rules.fingerprint() : 0;
    observed = !enforced && choice.rules.any();
    chosen = &choice;
    if (&actor == &identify::known_actor()) looked = look_of_now();
}

[[gnu::hot]] void look_again() {
    if (identify::assumed_actor() == nullptr && looked == look_of_now()) return;
    look_at(identify::current_actor());
}

bool is_masked_anywhere(const identify::Actor& actor) {
    const Choice& choice = choice_for(actor);
    if (pg::settings.masking_mode() != pg::Mode::kEnforce || is_never_masked(actor)) return false;
    const policy::Image* const image = policy::in_force();
    Speaker speaker = speaker_of(actor, image);
    speaker.unmasked = choice.unmasked.classes;
    speaker.any_database = true;
    return MaskRules(image, speaker).any();
}

void watch_roles() {
    CacheRegisterSyscacheCallback(AUTHOID, roles_changed, 0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, 0);
}

[[gnu::hot]] bool any_in_force() noexcept {
    return in_force != 0;
}

bool any_observed() noexcept {
    return observed;
}

std::uint64_t fingerprint() noexcept {
    return in_force;
}

std::span<const std::uint64_t> unmasking_grants() noexcept {
    return chosen != nullptr ? std::span<const std::uint64_t>(chosen->unmasked.grants)
                             : std::span<const std::uint64_t>();
}

const MaskedColumns* masked_columns(Oid relation) {
    return any_in_force() ? columns_under(chosen->rules, relation) : nullptr;
}

const MaskedColumns* observed_columns(Oid relation) {
    return any_observed() ? columns_under(chosen->rules, relation) : nullptr;
}

bool is_exempt(Oid role) {
    if (superuser_arg(role)) return true;
    return pg::entry(pg::Door::kGate, "masks of a role", [role] {
        const policy::Image* const image = policy::in_force();
        Speaker speaker;
        speaker.login = speaker.effective = end_of(role, false, image);
        speaker.database = database_name();
        return !MaskRules(image, speaker).any();
    });
}

namespace {

// Superusers classify columns also when the policy cannot be had.
const policy::Image* policy_for_labels() {
    try {
        return policy::in_force();
    } catch (const pg::Refusal&) {
        if (!is_superuser(GetUserId())) throw;
        return nullptr;
    }
}

}  // namespace

bool is_known_class(const char* data_class) {
    return pg::entry(pg::Door::kGate, "data class",
                     [data_class] { return is_data_class(policy_for_labels(), data_class); });
}

bool find_misfit(const char* data_class, Oid type, Method* misfit) {
    TypeFamily const family = family_of(type);
    return pg::entry(pg::Door::kGate, "data class", [=] {
        auto const method = misfit_of(policy_for_labels(), data_class, family);
        if (method) *misfit = *method;
        return method.has_value();
    });
}

}  // namespace hoopguard::mask
