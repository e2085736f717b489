// The footprint of a utility statement, from its node.
#pragma once

#include "classify/footprint_builder.hpp"
#include "pg/compat.hpp"

namespace hoopguard::classify {

// What `statement` itself does. Statements that it runs (EXPLAIN ANALYZE, COPY of a query, EXECUTE, CALL, CREATE
// TABLE AS) are met on their own when they run. May throw pg::Error.
void classify_utility(Node* node, FootprintBuilder& out);

// The privileges that it needs on the objects that classify_utility() found, and on others. May throw pg::Error.
void add_utility_needs(Node* node, FootprintBuilder& out);

// Definitions and changes of objects; false when the node is none of them.
bool classify_definition(Node* node, FootprintBuilder& out);

// Drops, ALTER TABLE and renaming; false when the node is none of them.
bool classify_alteration(Node* node, FootprintBuilder& out);

// Whether changing the setting is class config. May throw pg::Error.
bool is_protected_setting(const char* name);

}  // namespace hoopguard::classify
