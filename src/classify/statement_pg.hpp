// A statement as PostgreSQL hands it over: the noun that travels through the pipeline.
#pragma once

#include "pg/compat.hpp"

#include <string_view>

namespace hoopguard::classify {

// Everything is borrowed from the executor or the utility command and valid while that runs.
struct Statement {
    std::string_view text;         // its own text, cut out of a multi-statement string
    const char* source = nullptr;  // the whole string
    CommandTag tag = CMDTAG_UNKNOWN;
    PlannedStmt* plan = nullptr;  // plan->utilityStmt for a utility command; none for a fastpath call
    QueryDesc* query = nullptr;   // plannable statements only
    ParamListInfo parameters = nullptr;
    Oid function = InvalidOid;  // fastpath calls only: what is called
    bool nested = false;        // run by another statement

    bool is_fastpath() const noexcept { return function != InvalidOid; }
    bool is_utility() const noexcept { return query == nullptr && !is_fastpath(); }
};

// The part of `source` that `plan` stands for, without surrounding white space.
std::string_view own_text(const char* source, const PlannedStmt* plan) noexcept;

}  // namespace hoopguard::classify
