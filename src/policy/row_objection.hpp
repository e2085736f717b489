// What may be wrong with a row of policy.
#pragma once

#include <string>
#include <vector>

namespace hoopguard::policy {

using Words = std::vector<std::string>;

// What is wrong with a row: for an error that names the column, the value and what is allowed.
struct Objection {
    std::string column;
    std::string value;
    std::string allowed;
};

}  // namespace hoopguard::policy
