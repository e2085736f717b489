// Deciding for this backend: the policy image in force, the session's roles, the clock.
#pragma once

#include "classify/footprint.hpp"
#include "decide/decision.hpp"
#include "decide/limit.hpp"
#include "identify/actor.hpp"

#include <vector>

namespace hoopguard::decide {

// May `actor` do what `footprint` says? Reads no table; costs a few comparisons while policy, roles and speaker
// stay and no guardrail meets the footprint's classes. Throws pg::Refusal (55000) when a cluster that held a
// policy cannot have it, unless a rescuer asks, and pg::Error. The result is valid until the next call.
const Decision& decide(const identify::Actor& actor, const classify::Footprint& footprint);

// What is to be watched while a statement with this footprint runs. Empty, and as cheap as decide(), while no rule
// with limits meets it. May throw as decide().
std::vector<Limit> limits(const identify::Actor& actor, const classify::Footprint& footprint);

}  // namespace hoopguard::decide
