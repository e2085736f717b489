// Functions that a query calls by name. Planning inlines some and works others out beforehand, so the plan no
// longer tells of them: they are noted on the rewritten query and travel with the plan. May raise PostgreSQL
// errors; holds no C++ objects: call it inside pg::call.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

extern "C" {
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace hoopguard::classify {

// Notes for note_calls(): functions of users' making, and pg_notify(), that `query` calls, on every level of it.
List* judge_calls(Query* query);

// Puts the notes into the plan, where they are copied with it.
void note_calls(PlannedStmt* plan, List* notes);

// The OIDs that the notes in `plan` name, added to `functions`, each once.
List* noted_calls(const PlannedStmt* plan, List* functions);

// The same functions of an expression, added to `functions`.
List* calls_of(Node* expression, List* functions);

// Relations of a query that is not rewritten yet, with the privileges that it needs on them.
struct QueryNeed {
    Oid relation;
    AclMode required;
};
// A list of palloc'ed QueryNeed, of every level of the query.
List* needs_of(Query* query);

// Of nextval() and its like: bits of classify::Privilege on the sequence; 0: another function.
std::uint16_t privileges_on_sequence(Oid function) noexcept;

}  // namespace hoopguard::classify
