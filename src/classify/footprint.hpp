// What a statement touches and how risky that is: its classes and the objects they concern.
#pragma once

#include "classify/need.hpp"
#include "policy/statement_class.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hoopguard::classify {

using policy::ClassSet;
using policy::StatementClass;

// An object by the name that policy speaks of: schema.name, or a bare name for what lives in no schema.
struct ObjectName {
    std::string_view kind;  // "table", "view", "function", "role", "database" …: ddl.drop.<kind>; a literal
    std::string name;
    ClassSet classes;            // what the statement does to this object
    bool implied = false;        // reached through another object that is named: a partition, for one
    std::uint32_t relation = 0;  // its OID, where the statement changes or reads rows of it by a plan
    double rows = 0;  // of it that the statement is expected to change; 0: none, or nothing to expect by
    Need need = {};   // the privileges that the statement needs on it
};

// A need on what is not among the objects, or on one of them by another role than the first.
struct FurtherNeed {
    std::string name;  // as SQL writes it
    Need need;
};

// Of TRUNCATE, which does not count what it removes.
inline constexpr double kAllRows = std::numeric_limits<double>::infinity();

struct Footprint {
    ClassSet classes;  // of the whole statement: the objects' and those that concern no object
    std::vector<ObjectName> objects;
    std::vector<FurtherNeed> further;
    double estimated_rows = 0;  // the planner's: changed, or given out by a statement that changes none
    double rows_read = 0;       // expected to be given out; 0: none, or nothing to expect by
    double cost = 0;
    std::uint64_t id = 0;  // of one that is kept with its plan and stays as it is; 0: not kept

    // As new, but for the memory that it holds: most statements have the room they need from the one before.
    void clear() noexcept {
        objects.clear();
        further.clear();
        *this = {.objects = std::move(objects), .further = std::move(further)};
    }
};

}  // namespace hoopguard::classify
