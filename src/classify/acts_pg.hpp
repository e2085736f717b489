// What happens inside a statement and is no statement of its own: objects that a drop takes with it, tables that
// TRUNCATE reaches by CASCADE, functions that run outside of any plan. Told by PostgreSQL's object access hook.
#pragma once

#include "classify/footprint.hpp"
#include "pg/prelude.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hoopguard::classify {

// One object that a statement drops.
struct DroppedObject {
    ObjectName object;
    std::string whole;  // what it is a part of and goes with: a table, an extension; empty: it stands for itself
};

// The object that is about to be dropped, by the name it still has. Nothing for what is no object of its own: row
// types, array types, toast tables, rules that make views. May throw pg::Error.
std::optional<DroppedObject> dropped_object(Oid catalog, Oid object, int part);

// Those among `dropped` that are dropped beyond what the statement names (`named`) and what goes with it.
Footprint dropped_beyond(const std::vector<DroppedObject>& dropped, const std::vector<ObjectName>& named);

// A table that is truncated.
Footprint truncated(Oid relation);

// A function that is made ready to run. `in_plan`: as part of a statement whose plan was judged.
Footprint executed(Oid function, bool in_plan);

}  // namespace hoopguard::classify
