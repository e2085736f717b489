// What the journal holds, as SQL values in the current memory context.
// Every function may raise and holds nothing that needs a destructor: call them inside pg::call.
#pragma once

#include "pg/prelude.hpp"
#include "record/entry.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::sqlapi {

// Recorded text as text of this database. Bytes that are none of its characters, which a database of another
// encoding may have recorded, show as \xNN.
Datum text_datum(std::string_view text);

// An array of texts of an entry; an empty one when there is none.
Datum texts_datum(std::optional<record::EntryView::Array> texts);
Datum texts_datum(const std::vector<std::string>& texts);

// The elements of an array of texts or of bigints that are not NULL.
struct Elements {
    Datum* values;
    int count;
};
Elements elements_of(Datum array, Oid type);

// From nanoseconds since 1970-01-01 UTC; and from a duration in nanoseconds. Both are cut to microseconds.
Datum time_datum(std::uint64_t nanoseconds);
Datum interval_datum(std::uint64_t nanoseconds);

// The inverse of time_datum(): the first and the last nanosecond shown as `time`; 0 before 1970.
std::uint64_t first_nanosecond(TimestampTz time) noexcept;
std::uint64_t last_nanosecond(TimestampTz time) noexcept;

// Bound values as recorded: [{"type": …, "value": …, "length": …}]; length only of a value that was cut.
// A type that belongs to another database than this one shows as its OID.
Datum parameters_datum(record::EntryView::Array parameters, Oid database);

}  // namespace hoopguard::sqlapi
