// Whether one guardrail meets a footprint. Pure: the clock is given.
//
// Limits (max_rows, max_cost, max_duration) narrow a rule: it meets a statement that passes any one of them. What
// the plan expects is judged before the statement runs; what only running can tell is left to a Limit.
#pragma once

#include "classify/footprint.hpp"
#include "policy/image.hpp"
#include "policy/schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::decide {

// The time, where a schedule asks for it.
class Clock {
 public:
    virtual ~Clock() = default;
    // What clocks show in `zone` now; nothing when there is no such zone, and then the guardrail is in force.
    virtual std::optional<policy::WallClock> in_zone(std::string_view zone) const = 0;
    // Microseconds since 1970-01-01 UTC; asked for only where a grant may cover the statement.
    virtual std::uint64_t now() const = 0;
};

// What of a footprint a rule concerns.
struct Concern {
    struct Part {
        std::uint32_t object = 0;  // of the footprint
        policy::ClassSet classes;
    };
    policy::ClassSet classes;   // of all
    std::vector<Part> objects;  // none: classes that concern no object
};

bool has_row_limit(const policy::Row& rule);
bool has_duration_limit(const policy::Row& rule);

// What a rule on everything concerns when the statement has no class: every class.
std::optional<Concern> concern_of_all(const policy::Row& rule, const Clock& clock);
// Whether the rule, its limits left aside, concerns `footprint`.
std::optional<Concern> concern_of(const policy::Row& rule, const classify::Footprint& footprint,
                                  const Clock& clock);

// Whether the statement is expected to pass a limit of the rule; text: which, empty for a rule without limits.
struct Passed {
    bool met = false;
    std::string limit;
};
Passed passes_limits(const policy::Row& rule, const Concern& concern, const classify::Footprint& footprint);

// "write.delete of table public.orders".
std::string reason_of(const Concern& concern, const classify::Footprint& footprint);

}  // namespace hoopguard::decide
