// Which columns are classified: labels in pg_seclabel, and what inherits from them, cached per process.
// Everything here may raise PostgreSQL errors and holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

extern "C" {
#include "nodes/bitmapset.h"
}

namespace hoopguard::mask {

inline constexpr char kLabelProvider[] = "hoopguard";

// A column and the data class of what it holds. A column stands twice when children of its table disagree: the
// first entry that masks is the one that counts.
struct ClassifiedColumn {
    AttrNumber number;
    char data_class[NAMEDATALEN];
};

struct ClassifiedColumns {
    int count;
    ClassifiedColumn columns[FLEXIBLE_ARRAY_MEMBER];
};

// The classified columns of a relation, by column number; null when there are none. Labels come from the column
// itself, from the same column of any ancestor and of any child, for a generated column from the columns it is
// made of, for a materialized view from what its query reads, for a toast table from its owner. Belongs to the
// cache: valid until the next call.
const ClassifiedColumns* classified_columns(Oid relation);

// Whether one of the columns that `selected` holds, as range table entries have them, is classified; the whole row
// is all of them.
bool selects_classified(Oid relation, const Bitmapset* selected);

// Whether a class of `relation` is known in this process without a look at the catalog; for error callbacks.
enum class Known { kUnknown, kClassified, kUnclassified };
Known known_by_name(const char* schema, const char* relation) noexcept;
bool any_classified_known() noexcept;

// Whether any column of this database has a label. Cheap while no relation changed.
bool database_has_classified();
// Likewise as far as this process knows; true when it has not looked yet. For error callbacks.
bool may_have_classified() noexcept;

// Grows with every change in the catalog that may concern labels, names or columns of any relation.
std::uint64_t label_changes() noexcept;

// Told of changes in the catalog from here on; once, before the server forks.
void watch_labels();

// Tells this and every other process that labels of `relation` changed: its plans and cached classes, and those
// of its ancestors and children, go when this transaction commits.
void invalidate_labels(Oid relation);

}  // namespace hoopguard::mask
