// Deciding for this backend: the policy image in force, the session's roles, the clock.
#pragma once

#include "classify/footprint.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"

namespace hoopguard::decide {

// May `actor` do what `footprint` says? Reads no table; costs a few comparisons while policy, roles and speaker
// stay and no guardrail meets the footprint's classes. Throws pg::Refusal (55000) when a cluster that held a
// policy cannot have it, unless a rescuer asks, and pg::Error. The result is valid until the next call.
const Decision& decide(const identify::Actor& actor, const classify::Footprint& footprint);

}  // namespace hoopguard::decide
