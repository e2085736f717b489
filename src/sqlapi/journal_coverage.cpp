// coverage(): when statements were on record, and when and why not.
#include "record/coverage.hpp"

#include "pg/report.hpp"
#include "record/scan.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/journal_access.hpp"
#include "sqlapi/result_set.hpp"

#include <algorithm>
#include <ranges>

extern "C" {
#include "access/xlog.h"
#include "utils/timestamp.h"
}

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

const char* shown(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return "NULL";
    Datum const value = PG_GETARG_DATUM(argument);
    return pg::call([value] { return DatumGetCString(DirectFunctionCall1(timestamptz_out, value)); });
}

// Only the server's own entries are read: the index tells where they are.
std::vector<record::CoveragePeriod> read_periods(const OpenJournal& journal) {
    record::CoverageLine line(static_cast<std::uint64_t>(wal_segment_size));
    auto const origins = journal.origins();
    for (const record::OriginEnd& origin : std::views::reverse(origins)) {
        auto const reader = record::StreamReader::open(*journal.directory, origin.directory, origin.end);
        if (!reader) refuse_reading(reader.error());
        record::Scan scan(**reader, {.session = 0});
        for (;;) {
            auto const step = scan.next();
            if (step == record::Step::kFault) refuse_reading(scan.error());
            if (step == record::Step::kEnd) break;
            breathe();
            line.take(scan.found().entry);
        }
    }
    return line.finish(journal.opened, true);
}

void add_period(ResultSet& rows, const record::CoveragePeriod& period) {
    struct Row {
        Datum values[4];
        bool nulls[4];
    };
    Row row = pg::call([&] {
        return Row{{time_datum(period.from), time_datum(period.to), text_datum(to_text(period.state)),
                    text_datum(period.evidence)},
                   {}};
    });
    rows.add(row.values, row.nulls);
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_coverage) {
    require_auditor("coverage");
    if (PG_ARGISNULL(0)) pg::bad_argument("since", "NULL", "a time, or -infinity");
    if (PG_ARGISNULL(1)) pg::bad_argument("until", "NULL", "a time, or infinity");
    TimestampTz const since = PG_GETARG_TIMESTAMPTZ(0);
    TimestampTz const until = PG_GETARG_TIMESTAMPTZ(1);
    if (until < since) pg::bad_argument("until", shown(fcinfo, 1), "a time that is not before since");
    ResultSet rows(fcinfo);
    auto periods = clipped(read_periods(open_journal()), first_nanosecond(since), last_nanosecond(until));
    std::uint64_t const begin = periods.empty() ? 0 : periods.front().from;
    if (!TIMESTAMP_IS_NOBEGIN(since) && begin > last_nanosecond(since))
        add_period(rows, {first_nanosecond(since), begin, record::Coverage::kUnrecorded,
                          "before the first entry that the journal holds"});
    for (const record::CoveragePeriod& period : periods) add_period(rows, period);
    return 0;
}
