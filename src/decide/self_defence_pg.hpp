// What no rule allows: hoopguard itself is not switched off, emptied or hidden by anybody but a superuser who is
// no guarded actor. It holds in observe mode too, and before there is any policy.
#pragma once

#include "classify/footprint.hpp"
#include "classify/statement_pg.hpp"
#include "decide/decision.hpp"
#include "identify/actor.hpp"

namespace hoopguard::decide {

// The name under which these decisions are on record and reach the client.
inline constexpr std::string_view kSelfDefence = "hoopguard";

// Null when there is nothing to defend. One comparison for a statement that only reads or writes rows. The result
// is valid until the next call. May throw pg::Error.
const Decision* defend(const identify::Actor& actor, const classify::Statement& statement,
                       const classify::Footprint& footprint);

// A function that opens files is about to be set up to run: whether it must not, because nobody has looked at
// which. May throw pg::Error.
bool must_not_open(const identify::Actor& actor);

// What hoopguard does to itself while this lives, on behalf of whoever may call its functions, is not held against
// him.
class OwnDeed {
 public:
    OwnDeed() noexcept;
    ~OwnDeed();
    OwnDeed(const OwnDeed&) = delete;
    OwnDeed& operator=(const OwnDeed&) = delete;
};

// The statement whose files were looked at has been set up.
void forget_files() noexcept;

}  // namespace hoopguard::decide
