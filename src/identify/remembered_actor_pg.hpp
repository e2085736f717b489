// Whom something was worked out for, so that it serves again when he speaks again.
#pragma once

#include "identify/session_pg.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace hoopguard::identify {

// Provider, name and groups of an actor; roles are for whoever keeps this to compare.
class RememberedActor {
 public:
    void remember(const Actor& actor) {
        change_ = 0;
        provider_ = actor.provider;
        name_ = actor.name;
        groups_.assign(actor.groups.begin(), actor.groups.end());
    }

    // What the session says of its actor is compared once after each change of it.
    [[gnu::hot]] bool is(const Actor& actor) noexcept {
        std::uint64_t const change = &actor == &known_actor() ? known_session().change : 0;
        if (change != 0 && change == change_) return true;
        bool const same =
            name_ == actor.name && provider_ == actor.provider && std::ranges::equal(groups_, actor.groups);
        if (same) change_ = change;
        return same;
    }

 private:
    std::string provider_;
    std::string name_;
    std::vector<std::string> groups_;
    std::uint64_t change_ = 0;  // of the session, when this was found to be its actor; 0: none
};

}  // namespace hoopguard::identify
