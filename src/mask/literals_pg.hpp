// Which literals and parameters of a statement meet classified columns: are compared with them, computed with
// them, assigned to them. The journal does not keep those in clear. Judged on the query before it is planned,
// where literals still know their place in the text, and carried in the plan.
#pragma once

#include "classify/statement_pg.hpp"
#include "pg/prelude.hpp"
#include "record/redaction.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace hoopguard::mask {

// Below: may raise PostgreSQL errors; hold no C++ objects; call inside pg::call.

// Notes for note_literals(). NIL while this database has no classified column.
List* judge_literals(Query* query);
// Puts the notes into the plan, where they are copied with it.
void note_literals(PlannedStmt* plan, List* notes);

// What is known of `statement`, which is about to run; of a utility statement by its contents: a query in it is
// judged, code is any literal's. Belongs to the current memory context or to the plan. Throws pg::Error.
record::SensitiveParts sensitive_parts(const classify::Statement& statement);

// Of a text that never became a statement. Looks at no catalog.
record::SensitiveParts sensitive_parts_of_failure() noexcept;

}  // namespace hoopguard::mask
