// What calling a function does beyond computing: known by what the function is, not by what it is called.
#pragma once

#include "pg/prelude.hpp"
#include "policy/statement_class.hpp"

namespace hoopguard::classify {

struct FunctionEffect {
    policy::ClassSet classes;
    bool sets_setting = false;  // set_config(): its class depends on the setting
};

// Cheap once known; forgotten when pg_proc changes. May throw pg::Error.
FunctionEffect effect_of_function(Oid function);

}  // namespace hoopguard::classify
