// What a role may do without the memberships that grants made for it.
// Raises PostgreSQL errors; holds no C++ objects: call inside pg::call.
#pragma once

#include "pg/compat.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace hoopguard::approve {

// The roles that `member` is a member of, itself among them, when the memberships of it in `granted` (OIDs) do not
// count. A list of OIDs in the current memory context.
List* standing_roles(Oid member, const List* granted);

// Whether what `required` asks of a relation is covered by the roles in `standing`: as owner, by table privileges
// of a role or PUBLIC, or by a predefined role. Privileges on columns alone do not count.
bool covers_relation(const List* standing, Oid relation, AclMode required);
// The same for CREATE on a schema.
bool covers_schema(const List* standing, Oid schema);

// The owner of the relation or functions that a policy name (schema.name) stands for are all in `standing`, and so
// is the right to make it anew. A name that cannot be looked up is not covered.
bool covers_object(const List* standing, const char* name, bool is_function);

}  // namespace hoopguard::approve
