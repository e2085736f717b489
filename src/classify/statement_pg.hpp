// A statement as PostgreSQL hands it over: the noun that travels through the pipeline.
#pragma once

#include "pg/compat.hpp"

#include <string_view>

namespace hoopguard::classify {

// Everything is borrowed from the executor or the utility command and valid while that runs.
struct Statement {
    std::string_view text;  // its own text, cut out of a multi-statement string
    CommandTag tag = CMDTAG_UNKNOWN;
    PlannedStmt* plan = nullptr;  // always there; plan->utilityStmt for a utility command
    QueryDesc* query = nullptr;   // plannable statements only
    ParamListInfo parameters = nullptr;
    bool nested = false;  // run by another statement
};

// The part of `source` that `plan` stands for, without surrounding white space.
std::string_view own_text(const char* source, const PlannedStmt* plan) noexcept;

}  // namespace hoopguard::classify
