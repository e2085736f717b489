// Deciding for this backend.
#include "decide/decide_pg.hpp"

namespace hoopguard::decide {

const Decision& decide(const identify::Actor& actor, const classify::Footprint& footprint) {
    static Decision decision;
    return decision;
}

}  // namespace hoopguard::decide
