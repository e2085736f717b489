// Bound values as text, with their types.
#pragma once

#include "pg/prelude.hpp"
#include "record/entry.hpp"
#include "record/statement_text_pg.hpp"

extern "C" {
#include "nodes/params.h"
}

namespace hoopguard::record {

// What became of values on their way into an entry.
struct RecordedParameters {
    // The exact values as they would stand in the entry, when any was redacted; else empty.
    base::Bytes exact;
};

// Adds the values of `parameters` as hoopguard.journal_parameters asks; of a PL/pgSQL statement those of the
// variables it uses. Each is cut at 8 kB, all together at 1 MB. Values are shown by their types' output
// functions, which only a superuser can make, or by hand where that is quicker. Those that `parts` names, and what
// the detector finds in others, become tokens. Throws pg::Error, std::bad_alloc.
RecordedParameters add_parameters(EntryWriter& entry, ParamListInfo parameters, const StatementText& text,
                                  const SensitiveParts& parts);

}  // namespace hoopguard::record
