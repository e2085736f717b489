// The policy in force, as this backend sees it: the image of the published generation, mapped read-only.
#pragma once

#include "policy/image.hpp"

namespace hoopguard::policy {

// The image that statements are decided from now; nullptr when this cluster never held a policy. Cheap while the
// generation stays. Rows of an earlier image are dead after a call that returns another generation. Throws
// pg::Refusal (55000) when the cluster held a policy and cannot have it, and pg::Error when waiting is
// interrupted.
const Image* in_force();

// The same, or nullptr where it cannot be had: for what need not refuse by itself, because whoever decides about
// the same statement does (identify::policy_for_session()). Throws pg::Error when waiting is interrupted.
const Image* in_force_or_none();

// Whether the policy in force says anything at all. Throws as in_force().
bool holds_anything();

}  // namespace hoopguard::policy
