// The guardrails that concern one speaker, and what they say of a footprint. Pure and total: no clock, no table,
// no lock. Chosen once for a speaker and an image; judging a statement that meets no class of them is one AND.
#pragma once

#include "classify/footprint.hpp"
#include "decide/decision.hpp"
#include "decide/leave.hpp"
#include "decide/limit.hpp"
#include "decide/rule_index.hpp"
#include "decide/rule_match.hpp"
#include "policy/image.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::decide {

// The ends of who speaks: who logged in, who the statement runs as, and who called the SECURITY DEFINER function
// that it runs in. Roles are all that count as memberships,
// their own names and "group:NAME" of an identity provider among them, sorted.
struct Speaker {
    std::vector<std::string> login_roles;
    std::vector<std::string> effective_roles;
    bool system = false;  // all are system roles: only rules naming them cover them
    std::string database;
    std::vector<std::string> outer_roles;  // of who called; none: one of the others
};

class Guardrails {
 public:
    // Concern nobody.
    Guardrails() = default;
    // Keeps references into the image: `image` must outlive this.
    // A rule hits when any end of the speaker has one of its roles; an exception needs all of them.
    Guardrails(const policy::Image& image, const Speaker& speaker);

    // Every class that some rule may meet.
    policy::ClassSet reach() const noexcept { return reach_; }
    // Whether what judge() says of a footprint with these classes may change with the time.
    bool depends_on_time(policy::ClassSet classes) const noexcept { return timed_.meets(classes); }
    // Whether limits() may say anything of a footprint with these classes.
    bool has_limits(policy::ClassSet classes) const noexcept {
        return classes.empty() ? !timed_always_.empty() : limited_.meets(classes);
    }
    // The strictest match wins: block over ask over warn; of equals the first by name. `observe`: nothing is
    // enforced. What `leave` covers is asked about no more; it is on record as approved.
    Decision judge(const classify::Footprint& footprint, const Clock& clock, bool observe,
                   const Leave& leave = {}) const;
    // What must be watched while a statement with this footprint runs.
    std::vector<Limit> limits(const classify::Footprint& footprint, const Clock& clock, bool observe,
                              const Leave& leave = {}) const;

 private:
    bool is_enforced(const policy::Row& rule, bool observe) const;

    policy::Section rules_;
    RuleIndex index_;
    policy::ClassSet reach_;
    policy::ClassSet timed_;
    policy::ClassSet limited_;
    std::vector<std::uint32_t> timed_always_;  // whatever is asked may take too long, also what has no class
};

}  // namespace hoopguard::decide
