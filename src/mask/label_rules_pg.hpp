// Who may classify which column, and as what.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/method.hpp"
#include "pg/prelude.hpp"

extern "C" {
#include "catalog/objectaddress.h"
}

namespace hoopguard::mask {

// Refuses the label (null: its removal) unless the current user may set it and it fits the column: 42501, 42809,
// 22023, 55000. `object` must be locked. Otherwise tells every process that the labels change.
void check_label(const ObjectAddress* object, const char* label);

// Sets the label of a column, or removes it (null), with all checks but the ownership of the table: classifying is
// for hoopguard_admin, not for owners. `object` must be locked.
void set_label(const ObjectAddress* object, const char* label);

// Refuses (42804) a method that cannot mask a column of this database that carries the class and keep its type.
void check_labelled(const char* data_class, const Method& method);

// Whether any column of this database carries a label of hoopguard.
bool any_label();

}  // namespace hoopguard::mask
