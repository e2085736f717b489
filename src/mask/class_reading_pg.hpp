// Reading from the catalog which columns of a relation are classified: its labels, and what inherits from them.
// May raise PostgreSQL errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "mask/labels_pg.hpp"

#include <cstddef>

extern "C" {
#include "catalog/pg_class.h"
}

namespace hoopguard::mask {

// What is being read; `found` grows in the current memory context.
struct Reading {
    Oid relation;
    bool linked;  // other relations had a say
    int room;
    ClassifiedColumns* found;
};

constexpr std::size_t size_of_columns(int count) {
    return offsetof(ClassifiedColumns, columns) + static_cast<std::size_t>(count) * sizeof(ClassifiedColumn);
}

Reading read_classes(Oid relation, Form_pg_class form);

List* ancestors_of(Oid relation);

// Whether any column of this database has a label of hoopguard's.
bool any_label_of_columns();

}  // namespace hoopguard::mask
