// What a guardrail permits a running statement, and what holds once that is passed.
#pragma once

#include "decide/decision.hpp"
#include "policy/sections.hpp"

#include <cstdint>
#include <vector>

namespace hoopguard::decide {

struct Limit {
    Decision decision;  // once it is passed; its reason says which limit
    std::uint64_t max_rows = policy::kUnlimited;
    std::int64_t per = 0;                  // microseconds; 0: rows count per transaction
    std::int64_t max_duration = 0;         // microseconds; 0: none
    bool reads = false;                    // rows given out count
    bool writes = false;                   // rows changed count …
    bool all_relations = false;            // … in whatever relation, or in
    std::vector<std::uint32_t> relations;  // one of these
    bool has_rows() const { return max_rows != policy::kUnlimited; }
};

}  // namespace hoopguard::decide
