// What just-in-time grants let one actor do that a guardrail asks about. Pure: the time is given.
//
// A grant lifts `ask` for the classes it names on the objects it names, in its database, until it ends; several
// may cover one statement together. It never lifts `block`. Leave to log in is asked for where one may log in
// already, so it holds for the databases it names, wherever it was given.
#pragma once

#include "classify/footprint.hpp"
#include "policy/image.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::decide {

// Who asks for it: the actor, not the roles it speaks through.
struct Asker {
    std::string_view provider;  // empty: a database role
    std::string_view actor;
    std::string_view database;
    std::uint64_t session = 0;
};

// Whether the grant is this actor's, in this session.
bool is_for(const policy::Row& grant, const Asker& asker) noexcept;
// Whether it has not ended at `now`, microseconds since 1970-01-01 UTC.
bool is_valid(const policy::Row& grant, std::uint64_t now) noexcept;

// The numbers of all that are this actor's and hold at `now`.
std::vector<std::uint64_t> grants_in_force(const policy::Image& image, const Asker& asker, std::uint64_t now);

class Leave {
 public:
    // Lets nobody do anything.
    Leave() = default;
    // Keeps references into the image.
    Leave(const policy::Image& image, const Asker& asker);

    bool empty() const noexcept { return chosen_.empty(); }
    // The classes among `classes` that no grant covers for `object` (null: for no object in particular) at `now`.
    // Adds the rows of the grants that cover the others to `used`.
    policy::ClassSet uncovered(policy::ClassSet classes, const classify::ObjectName* object, std::uint64_t now,
                               std::vector<std::uint32_t>& used) const;
    policy::Row row(std::uint32_t number) const noexcept { return grants_[number]; }

 private:
    policy::Section grants_;
    struct Chosen {
        std::uint32_t row;  // of grants_, rising
        bool elsewhere;     // given in another database
    };
    std::vector<Chosen> chosen_;
};

}  // namespace hoopguard::decide
