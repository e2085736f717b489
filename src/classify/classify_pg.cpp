// From a statement to its footprint.
#include "classify/classify_pg.hpp"

#include "classify/footprint_builder.hpp"
#include "classify/utility_pg.hpp"

namespace hoopguard::classify {

const Footprint& classify(const Statement& statement) {
    static Footprint footprint;
    footprint = {};
    FootprintBuilder builder(footprint);
    if (statement.plan != nullptr && statement.plan->utilityStmt != nullptr)
        classify_utility(statement.plan->utilityStmt, builder);
    return footprint;
}

}  // namespace hoopguard::classify
