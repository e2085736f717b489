// Bound values as text, with their types.
#pragma once

#include "pg/prelude.hpp"
#include "record/entry.hpp"
#include "record/statement_text_pg.hpp"

extern "C" {
#include "nodes/params.h"
}

namespace hoopguard::record {

// Adds the values of `parameters` as hoopguard.journal_parameters asks; of a PL/pgSQL statement those of the
// variables it uses. Each is cut at 8 kB, all together at 1 MB. Values are shown by their types' output
// functions, which only a superuser can make, or by hand where that is quicker. Throws pg::Error.
void add_parameters(EntryWriter& entry, ParamListInfo parameters, const StatementText& text);

}  // namespace hoopguard::record
