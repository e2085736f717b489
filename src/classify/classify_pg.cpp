// From a statement to its footprint.
#include "classify/classify_pg.hpp"

namespace hoopguard::classify {

const Footprint& classify(const Statement& statement) {
    static Footprint footprint;
    return footprint;
}

}  // namespace hoopguard::classify
