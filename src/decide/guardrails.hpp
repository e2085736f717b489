// The guardrails that concern one speaker, and what they say of a footprint. Pure and total: no clock, no table,
// no lock. Chosen once for a speaker and an image; judging a statement that meets no class of them is one AND.
#pragma once

#include "classify/footprint.hpp"
#include "decide/decision.hpp"
#include "decide/leave.hpp"
#include "policy/image.hpp"
#include "policy/schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::decide {

// Both ends of who speaks: who logged in and who the statement runs as. Roles are all that count as memberships,
// their own names and "group:NAME" of an identity provider among them, sorted.
struct Speaker {
    std::vector<std::string> login_roles;
    std::vector<std::string> effective_roles;
    bool system = false;  // both are system roles: only rules naming them cover them
    std::string database;
};

// The time, where a schedule asks for it.
class Clock {
 public:
    virtual ~Clock() = default;
    // What clocks show in `zone` now; nothing when there is no such zone, and then the guardrail is in force.
    virtual std::optional<policy::WallClock> in_zone(std::string_view zone) const = 0;
    // Microseconds since 1970-01-01 UTC; asked for only where a grant may cover the statement.
    virtual std::uint64_t now() const = 0;
};

class Guardrails {
 public:
    // Concern nobody.
    Guardrails() = default;
    // Keeps references into the image: `image` must outlive this.
    // A rule hits when either end of the speaker has one of its roles; an exception needs both ends.
    Guardrails(const policy::Image& image, const Speaker& speaker);

    // Every class that some rule may meet.
    policy::ClassSet reach() const noexcept { return reach_; }
    // Whether what judge() says of a footprint with these classes may change with the time.
    bool depends_on_time(policy::ClassSet classes) const noexcept { return timed_.meets(classes); }
    // The strictest match wins: block over ask over warn; of equals the first by name. `observe`: nothing is
    // enforced. What `leave` covers is asked about no more; it is on record as approved.
    Decision judge(const classify::Footprint& footprint, const Clock& clock, bool observe,
                   const Leave& leave = {}) const;

 private:
    struct Match;
    std::optional<Match> match(const policy::Row& rule, const classify::Footprint& footprint, const Clock& clock,
                               const Leave& leave) const;

    policy::Section rules_;
    std::vector<std::uint32_t> chosen_;  // rows of rules_, rising
    policy::ClassSet reach_;
    policy::ClassSet timed_;
};

}  // namespace hoopguard::decide
