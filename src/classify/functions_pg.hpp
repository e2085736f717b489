// What calling a function does beyond computing: known by what the function is, not by what it is called.
#pragma once

#include "pg/prelude.hpp"
#include "policy/statement_class.hpp"

#include <string>
#include <string_view>

namespace hoopguard::classify {

struct FunctionEffect {
    policy::ClassSet classes;
    bool sets_setting = false;  // set_config(): its class depends on the setting
    bool asks = false;  // EXECUTE on it is worth a record: made by a user, or not open to everyone from the start
    char kind = 'f';    // as pg_proc.prokind
};

// Cheap once known; forgotten when pg_proc changes. May throw pg::Error.
FunctionEffect effect_of_function(Oid function);

// Whether it was found lately to do nothing beyond computing. A look at a table, for what is asked of every
// function of every plan that is set up.
bool is_known_to_compute(Oid function) noexcept;

// Its name and argument types as SQL writes them; valid until the next call. Cheap once known. May throw
// pg::Error.
const std::string& name_of_function(Oid function);

// The kind by which the object is known.
std::string_view kind_of_function(char prokind) noexcept;

}  // namespace hoopguard::classify
