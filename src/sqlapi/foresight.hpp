// What a text of SQL would do, found by planning it and running none of it.
#pragma once

#include "classify/footprint.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hoopguard::sqlapi {

struct ForeseenMask {
    std::string column;  // schema.table.column
    std::string method;
    std::string data_class;
};

// One act that hoopguard would judge: a statement, or one that it runs by itself (the query of an EXPLAIN ANALYZE,
// of a CREATE TABLE AS …).
struct ForeseenAct {
    classify::Footprint footprint;
    bool planned = false;  // it has an estimate
    std::vector<ForeseenMask> masks;
    std::string no_privilege;  // PostgreSQL's own refusal; empty: none
};

struct ForeseenStatement {
    std::string text;
    std::vector<ForeseenAct> acts;
    // Functions in procedural languages, and what else is judged only when it runs.
    std::vector<std::string> unforeseen;
};

// Analyses and plans every statement of `text` as `role` would (InvalidOid: as the caller), in a subtransaction
// that is rolled back. Call within an identify::Rehearsal. Throws pg::Error for a text that PostgreSQL does not
// take; its position is one of `text`.
std::vector<ForeseenStatement> foresee(const char* text, std::uint32_t role);

}  // namespace hoopguard::sqlapi
