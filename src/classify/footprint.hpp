// What a statement touches and how risky that is: its classes and the objects they concern.
#pragma once

#include "policy/statement_class.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::classify {

using policy::ClassSet;
using policy::StatementClass;

// An object by the name that policy speaks of: schema.name, or a bare name for what lives in no schema.
struct ObjectName {
    std::string_view kind;  // "table", "view", "function", "role", "database" …: ddl.drop.<kind>; a literal
    std::string name;
    ClassSet classes;      // what the statement does to this object
    bool implied = false;  // reached through another object that is named: a partition, for one
};

struct Footprint {
    ClassSet classes;  // of the whole statement: the objects' and those that concern no object
    std::vector<ObjectName> objects;
    double estimated_rows = 0;
    double cost = 0;
};

}  // namespace hoopguard::classify
