// Files of hoopguard's own: the journal's directory and the keys'.
#pragma once

#include "pg/compat.hpp"

namespace hoopguard::classify {

// Whether `path`, as a server-side function or COPY would open it, is one of hoopguard's own or may lead to one.
// Symbolic links are followed as far as they exist. Raises nothing.
bool is_own_file(const char* path) noexcept;

// Whether a plan calls functions that open files, and what is known of the paths.
enum class FileCalls { kNone, kElsewhere, kUnknownOrOwn };
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
FileCalls file_calls(const PlannedStmt* plan);

// Whether the function opens files by a name that it is given. May throw pg::Error.
bool opens_files(Oid function);

}  // namespace hoopguard::classify
