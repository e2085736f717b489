// The names that policy speaks of, for what trees and catalogs hold. No function takes a lock: a name may be stale
// by the time the statement runs, and the access hook judges again what really happens.
#pragma once

#include "pg/compat.hpp"

#include <string>
#include <string_view>

extern "C" {
#include "catalog/objectaddress.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
}

namespace hoopguard::classify {

struct NamedObject {
    std::string_view kind;  // a literal
    std::string name;
};

// "schema.name" of a relation; its temporary schema is pg_temp. Empty when there is none. All may throw pg::Error.
// Valid until a relation is asked for again.
const NamedObject& name_of_relation(Oid relation);
// The same as SQL writes it.
std::string quoted_relation(Oid relation);
// "schema.name(types)" of a function as SQL writes it: types of pg_catalog by their bare names, all others with
// their schema.
std::string quoted_function(Oid function);
// The schema where what has no schema in its name is made; empty: there is none.
std::string creation_schema();
// A name as SQL writes it; of "schema.name", which is split at its first dot, both parts.
std::string quoted(std::string_view name, bool has_schema);
// What `range` means on the caller's path; as it is written, with `kind`, when there is no such relation.
NamedObject name_of_range(const RangeVar* range, std::string_view kind);
// The relation that `range` means; InvalidOid when there is none.
Oid find_relation(const RangeVar* range);
// For a relation that is to be made: in the schema where it will be.
NamedObject name_of_new(const RangeVar* range, std::string_view kind);
// A name in a list of String nodes, as it is written.
std::string name_of_list(const List* names);
// Any object of the catalogs. For parts of a table (columns, triggers, constraints …) the table's name.
NamedObject name_of_address(const ObjectAddress& address);

// The kind that ddl.drop.<kind> speaks of.
std::string_view kind_of(ObjectType type) noexcept;
std::string_view kind_of_relation(char relkind) noexcept;

}  // namespace hoopguard::classify
