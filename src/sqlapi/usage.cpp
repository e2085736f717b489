// recorded_use(): a stretch of one origin's entries, tallied for the tables of usage.
#include "review/usage.hpp"

#include "pg/report.hpp"
#include "record/scan.hpp"
#include "record/session_entry_pg.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/journal_access.hpp"
#include "sqlapi/result_set.hpp"

#include <array>

extern "C" {
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

// The columns that recorded_use() returns, in their order.
enum Column : std::size_t {
    kWhat,
    kProvider,
    kActor,
    kActorKind,
    kLoginRole,
    kEffectiveRole,
    kDatabase,
    kObject,
    kObjectKind,
    kPrivilege,
    kThrough,
    kStatementClass,
    kApplication,
    kClientAddress,
    kDay,
    kFirst,
    kLast,
    kUses,
    kRefused,
    kMasked,
    kClasses,
    kNextEntry,
    kOpenEntries,
    kCount
};

// One row in the making; what is not set is NULL.
class Row {
 public:
    explicit Row(std::string_view what) {
        nulls_.fill(true);
        text(kWhat, what);
    }
    void set(Column column, Datum value) {
        values_[column] = value;
        nulls_[column] = false;
    }
    void text(Column column, std::string_view value) {
        set(column, pg::call([value] { return text_datum(value); }));
    }
    void number(Column column, std::uint64_t value) {
        set(column, Int64GetDatum(static_cast<std::int64_t>(value)));
    }
    void period(const review::Period& period) {
        set(kFirst, time_datum(period.first));
        set(kLast, time_datum(period.last));
    }
    void put(ResultSet& rows) { rows.add(values_.data(), nulls_.data()); }

 private:
    std::array<Datum, kCount> values_ = {};
    std::array<bool, kCount> nulls_ = {};
};

constexpr std::uint64_t kDaysBeforePostgres = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;

void add_uses(const review::UsageTally& tally, ResultSet& rows) {
    for (auto const& [key, use] : tally.uses()) {
        Row row("use");
        row.text(kProvider, key.provider);
        row.text(kActor, key.actor);
        row.text(kActorKind, key.actor_kind);
        row.text(kLoginRole, key.login_role);
        row.text(kEffectiveRole, key.effective_role);
        row.text(kDatabase, key.database);
        row.text(kObject, key.object);
        row.text(kObjectKind, key.object_kind);
        row.text(kPrivilege, key.privilege);
        row.text(kThrough, to_text(key.through));
        row.period(use.period);
        row.number(kUses, use.uses);
        row.number(kMasked, use.masked);
        std::vector<std::string> const classes(use.classes.begin(), use.classes.end());
        row.set(kClasses, pg::call([&classes] { return texts_datum(classes); }));
        row.put(rows);
    }
}

void add_days(const review::UsageTally& tally, ResultSet& rows) {
    for (auto const& [key, day] : tally.days()) {
        Row row("day");
        row.text(kProvider, key.provider);
        row.text(kActor, key.actor);
        row.text(kActorKind, key.actor_kind);
        row.text(kStatementClass, key.statement_class);
        row.set(kDay, DateADTGetDatum(static_cast<DateADT>(key.day) - static_cast<DateADT>(kDaysBeforePostgres)));
        row.number(kUses, day.statements);
        row.number(kRefused, day.refused);
        row.number(kMasked, day.masked);
        row.put(rows);
    }
}

void add_sources(const review::UsageTally& tally, ResultSet& rows) {
    for (auto const& [key, source] : tally.sources()) {
        Row row("source");
        row.text(kProvider, key.provider);
        row.text(kActor, key.actor);
        row.text(kLoginRole, key.login_role);
        row.text(kApplication, key.application);
        row.text(kClientAddress, key.client_address);
        row.period(source.period);
        row.number(kUses, source.logins);
        row.put(rows);
    }
}

void add_progress(std::uint64_t next, const std::vector<std::uint64_t>& open, std::uint64_t read,
                  ResultSet& rows) {
    Row row("progress");
    row.number(kNextEntry, next);
    row.number(kUses, read);
    row.set(kOpenEntries, pg::call([&open] {
                auto* const entries = static_cast<Datum*>(palloc(sizeof(Datum) * (open.size() + 1)));
                for (std::size_t at = 0; at < open.size(); ++at)
                    entries[at] = Int64GetDatum(static_cast<std::int64_t>(open[at]));
                return PointerGetDatum(construct_array(entries, static_cast<int>(open.size()), INT8OID,
                                                       sizeof(std::int64_t), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
            }));
    row.put(rows);
}

std::string name_of_role(std::uint32_t role) {
    return pg::call([role]() -> const char* {
        const char* const name = GetUserNameFromId(role, true);
        return name != nullptr ? name : psprintf("%u", role);
    });
}

std::string quote(std::string_view name) {
    std::string const whole(name);
    return pg::call([&whole] { return quote_identifier(whole.c_str()); });
}

std::vector<std::uint64_t> numbers_of(Datum array) {
    auto const elements = pg::call([array] { return elements_of(array, INT8OID); });
    std::vector<std::uint64_t> numbers;
    for (int at = 0; at < elements.count; ++at)
        numbers.push_back(static_cast<std::uint64_t>(DatumGetInt64(elements.values[at])));
    return numbers;
}

// Statements that were open; those that retention has removed meanwhile are nobody's any more.
void resume(record::StreamReader& reader, record::Speakers& speakers, const std::vector<std::uint64_t>& entries,
            review::UsageTally& tally) {
    for (std::uint64_t const index : entries) {
        auto const found = reader.at_index(index);
        if (!found) refuse_reading(found.error());
        if (*found) tally.resume((*found)->entry, index, speakers.of((*found)->entry));
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_usage_origins) {
    require_auditor("usage_origins");
    ResultSet rows(fcinfo);
    auto const journal = open_journal();
    auto const origins = journal.origins();
    for (auto at = origins.rbegin(); at != origins.rend(); ++at)
        rows.add_texts(at->directory.substr(std::string_view(record::kOriginPrefix).size()),
                       std::string(at->directory == journal.current ? "true" : "false"));
    return 0;
}

HOOPGUARD_SQL_FUNCTION(hoopguard_recorded_use) {
    require_auditor("recorded_use");
    std::string const origin = pg::call([fcinfo] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); });
    auto const first = PG_GETARG_INT64(1);
    if (first < 0) pg::bad_argument("first_entry", pg::format("%lld", static_cast<long long>(first)), "0 or more");
    auto const open = numbers_of(PG_GETARG_DATUM(2));
    auto const most = PG_GETARG_INT64(3);
    if (most < 1) pg::bad_argument("most", pg::format("%lld", static_cast<long long>(most)), "1 or more");
    ResultSet rows(fcinfo);
    auto const journal = open_journal();
    auto const origins = journal.origins(&origin);
    if (origins.empty())
        pg::bad_argument("origin", pg::format("%s", origin.c_str()), "the name of one, as in hoopguard.statement");
    auto const reader = record::StreamReader::open(*journal.directory, origins[0].directory, origins[0].end);
    if (!reader) refuse_reading(reader.error());

    review::UsageTally tally(name_of_role, quote);
    record::Speakers speakers(**reader);
    resume(**reader, speakers, open, tally);
    record::Scan scan(**reader, {.first_index = static_cast<std::uint64_t>(first)});
    std::uint64_t read = 0;
    std::uint64_t next = static_cast<std::uint64_t>(first);
    bool ended = false;
    while (read < static_cast<std::uint64_t>(most)) {
        auto const step = scan.next();
        if (step == record::Step::kFault) refuse_reading(scan.error());
        ended = step == record::Step::kEnd;
        if (ended) break;
        if (++read % 256 == 0) breathe();
        auto const& found = scan.found();
        next = found.index + 1;
        tally.take(found.entry, found.index, speakers.of(found.entry));
    }
    if (ended && origins[0].directory != journal.current) tally.end_of_origin();
    add_uses(tally, rows);
    add_days(tally, rows);
    add_sources(tally, rows);
    add_progress(next, tally.open(), read, rows);
    return 0;
}
