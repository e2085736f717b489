// Looking for a lock: by the actor's name, then up through those who own it.
#include "identify/lock.hpp"

namespace hoopguard::identify {

namespace {

using policy::ActorField;
using policy::LockField;
using policy::SectionId;

// Owners may own each other: a chain ends here at the latest.
constexpr int kLongestChain = 16;

std::optional<Lock> lock_on_name(const policy::Section& locks, std::string_view name, bool as_owner,
                                 std::uint64_t now) noexcept {
    for (std::uint32_t i = 0; i < locks.size(); ++i) {
        auto const lock = locks[i];
        if (lock.text(LockField::kName) != name || lock.word(LockField::kUntil) <= now) continue;
        if (as_owner && lock.word(LockField::kOwned) == 0) continue;
        return Lock{lock.text(LockField::kName), lock.text(LockField::kReason)};
    }
    return std::nullopt;
}

// An owner is written down by name alone: whichever actor of that name there is.
std::string_view owner_of(const policy::Section& actors, std::optional<std::string_view> provider,
                          std::string_view name) noexcept {
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        auto const actor = actors[i];
        if (actor.text(ActorField::kName) != name || actor.text(ActorField::kOwner).empty()) continue;
        if (!provider || actor.text(ActorField::kProvider) == *provider) return actor.text(ActorField::kOwner);
    }
    return {};
}

}  // namespace

std::optional<Lock> find_lock(const policy::Image& image, std::string_view provider, std::string_view name,
                              std::uint64_t now) noexcept {
    auto const locks = image.section(SectionId::kLockedActors);
    if (locks.size() == 0) return std::nullopt;
    if (auto const own = lock_on_name(locks, name, false, now)) return own;
    auto const actors = image.section(SectionId::kActors);
    auto owner = owner_of(actors, provider, name);
    for (int i = 0; i < kLongestChain && !owner.empty(); ++i) {
        if (auto const found = lock_on_name(locks, owner, true, now)) return found;
        owner = owner_of(actors, std::nullopt, owner);
    }
    return std::nullopt;
}

}  // namespace hoopguard::identify
