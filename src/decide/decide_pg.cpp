// Deciding for this backend. What concerns a speaker is chosen once and kept until the policy, any role or the
// settings change; a backend speaks for few pairs of roles at a time, so a handful of choices is kept.
#include "decide/decide_pg.hpp"

#include "base/remembered.hpp"
#include "decide/guardrails.hpp"
#include "decide/memberships_pg.hpp"
#include "identify/errand_pg.hpp"
#include "identify/remembered_actor_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

extern "C" {
#include "commands/dbcommands.h"
#include "pgtime.h"
#include "utils/timestamp.h"
}

namespace hoopguard::decide {

namespace {

class ServerClock final : public Clock {
 public:
    std::optional<policy::WallClock> in_zone(std::string_view zone) const override {
        std::string const name(zone);
        return pg::call([&name]() -> std::optional<policy::WallClock> {
            auto* const found = pg_tzset(name.c_str());
            if (found == nullptr) return std::nullopt;
            pg_time_t const now = timestamptz_to_time_t(GetCurrentTimestamp());
            auto const* const local = pg_localtime(&now, found);
            if (local == nullptr) return std::nullopt;
            // tm_wday counts from Sunday.
            return policy::WallClock{(local->tm_wday + 6) % 7, local->tm_hour * 60 + local->tm_min};
        });
    }
    std::uint64_t now() const override {
        constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
        return static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
    }
};

// The guardrails that concern one speaker, and what they were chosen from.
struct Choice {
    std::uint64_t generation = 0;  // 0: empty
    std::uint64_t roles_epoch = 0;
    Oid login = InvalidOid;
    Oid effective = InvalidOid;
    Oid outer = InvalidOid;
    identify::RememberedActor actor;
    std::string system_roles;
    Guardrails guardrails;
    Leave leave;
    // Footprints of kept plans that are allowed, whatever the time and however they run; by their ids.
    base::Remembered<std::uint64_t, 256> allowed;
};

constexpr std::size_t kChoices = 8;

struct Choices {
    std::array<Choice, kChoices> kept;
    std::size_t next = 0;
    Choice* latest = nullptr;
};

Choices& choices() {
    static Choices all;
    return all;
}

std::string database_name() {
    // While a client logs in, the database is what it asks for.
    auto const* const asked = MyProcPort != nullptr ? MyProcPort->database_name : nullptr;
    auto const* const name =
        pg::call([asked] { return OidIsValid(MyDatabaseId) ? get_database_name(MyDatabaseId) : asked; });
    return name == nullptr ? std::string() : std::string(name);
}

void add_groups(std::vector<std::string>& roles, std::span<const std::string> groups) {
    for (auto const& group : groups) roles.push_back("group:" + group);
    std::ranges::sort(roles);
}

Speaker speaker_of(const identify::Actor& actor) {
    Speaker speaker;
    speaker.login_roles = memberships(actor.login_role);
    speaker.effective_roles =
        actor.effective_role == actor.login_role ? speaker.login_roles : memberships(actor.effective_role);
    bool const called =
        actor.outer_role != 0 && actor.outer_role != actor.login_role && actor.outer_role != actor.effective_role;
    if (called) speaker.outer_roles = memberships(actor.outer_role);
    // Whoever speaks by a token speaks as a member of its groups at every end.
    if (!actor.groups.empty()) {
        add_groups(speaker.login_roles, actor.groups);
        add_groups(speaker.effective_roles, actor.groups);
        if (called) add_groups(speaker.outer_roles, actor.groups);
    }
    speaker.system = is_system_role(actor.login_role) && is_system_role(actor.effective_role) &&
                     (!called || is_system_role(actor.outer_role));
    speaker.database = database_name();
    return speaker;
}

[[gnu::hot]] bool is_for(Choice& choice, const identify::Actor& actor, const policy::Image& image) {
    return choice.generation == image.generation() && choice.roles_epoch == roles_epoch() &&
           choice.login == actor.login_role && choice.effective == actor.effective_role &&
           choice.outer == actor.outer_role &&
           std::strcmp(choice.system_roles.c_str(), pg::settings.system_roles) == 0 && choice.actor.is(actor);
}

[[gnu::noinline]] Choice& choose(Choices& all, const identify::Actor& actor, const policy::Image& image) {
    auto const epoch = roles_epoch();
    auto const generation = image.generation();
    auto& chosen = all.kept[all.next];
    all.next = (all.next + 1) % kChoices;
    chosen.generation = 0;
    chosen.allowed.clear();
    auto const speaker = speaker_of(actor);
    chosen.guardrails = Guardrails(image, speaker);
    chosen.leave = Leave(image, {actor.provider, actor.name, speaker.database, identify::session_id()});
    chosen.actor.remember(actor);
    chosen.system_roles = pg::settings.system_roles;
    chosen.login = actor.login_role;
    chosen.effective = actor.effective_role;
    chosen.outer = actor.outer_role;
    chosen.roles_epoch = epoch;
    chosen.generation = generation;
    return chosen;
}

[[gnu::hot]] Choice& choice_for(const identify::Actor& actor, const policy::Image& image) {
    auto& all = choices();
    if (all.latest != nullptr && is_for(*all.latest, actor, image)) [[likely]]
        return *all.latest;
    auto const kept = std::ranges::find_if(all.kept, [&](Choice& choice) { return is_for(choice, actor, image); });
    all.latest = kept != std::end(all.kept) ? &*kept : &choose(all, actor, image);
    return *all.latest;
}

bool is_observing() {
    return pg::settings.guard_mode() == pg::Mode::kObserve;
}

}  // namespace

[[gnu::hot]] const Decision& decide(const identify::Actor& actor, const classify::Footprint& footprint) {
    static const Decision allowed;
    static const Decision unlimited = [] {
        Decision decision;
        decision.limited = false;
        return decision;
    }();
    static Decision decision;
    // Ending an aborted transaction has no class and may read no catalog.
    if (footprint.classes.empty() || identify::is_errand()) return allowed;
    auto const* const image = identify::policy_for_session();
    if (image == nullptr) return allowed;
    auto& choice = choice_for(actor, *image);
    auto const& guardrails = choice.guardrails;
    bool const limited = guardrails.has_limits(footprint.classes);
    auto const& passed = limited ? allowed : unlimited;
    if (!footprint.classes.meets(guardrails.reach()) || choice.allowed.has(footprint.id)) return passed;
    decision = guardrails.judge(footprint, ServerClock(), is_observing(), choice.leave);
    if (decision.verdict != Verdict::kAllow) return decision;
    if (footprint.id != 0 && !guardrails.depends_on_time(footprint.classes) && !limited)
        choice.allowed.add(footprint.id);
    return passed;
}

[[gnu::hot]] std::vector<Limit> limits(const identify::Actor& actor, const classify::Footprint& footprint) {
    if (identify::is_errand()) return {};
    auto const* const image = identify::policy_for_session();
    if (image == nullptr) return {};
    auto const& choice = choice_for(actor, *image);
    if (!choice.guardrails.has_limits(footprint.classes)) return {};
    return choice.guardrails.limits(footprint, ServerClock(), is_observing(), choice.leave);
}

}  // namespace hoopguard::decide
