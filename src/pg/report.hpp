// Raising errors of hoopguard's own from C++: text is formatted into palloc'ed memory that outlives unwinding.
#pragma once

#include "pg/boundary.hpp"

namespace hoopguard::pg {

// printf into the current memory context; for the texts of a Refusal. Raises 53200 when memory is out.
char* format(const char* pattern, ...) pg_attribute_printf(1, 2);

// Throws a Refusal for a bad argument (22023): names the argument, the value given and what is allowed.
[[noreturn]] void bad_argument(const char* argument, const char* value, const char* allowed);

}  // namespace hoopguard::pg
