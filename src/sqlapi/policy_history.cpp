// policy_changes(): what the journal holds of changes of policy, and the trigger that puts it there.
#include "identify/session_pg.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "policy/rows_pg.hpp"
#include "record/policy_entry_pg.hpp"
#include "record/scan.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/journal_access.hpp"
#include "sqlapi/result_set.hpp"

#include <ranges>

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
}

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

std::string json_of(HeapTuple tuple, TupleDesc description) {
    return pg::call([=] {
        Datum const row = heap_copy_tuple_as_datum(tuple, description);
        return text_to_cstring(DatumGetTextPP(DirectFunctionCall1(row_to_json, row)));
    });
}

std::string subject_of(Relation relation, HeapTuple tuple) {
    std::string subject = RelationGetRelationName(relation);
    policy::RowReader const row(tuple, RelationGetDescr(relation));
    for (const char* const column : {"name", "data_class", "provider"})
        if (auto const value = row.text(column)) return subject + " " + *value;
    return subject;
}

void require_reader() {
    bool const admin = pg::call([] {
        Oid const role = get_role_oid("hoopguard_admin", true);
        return OidIsValid(role) && is_member_of_role(GetUserId(), role);
    });
    if (!admin) require_auditor("policy_history");
}

Datum json_datum(const std::optional<std::string_view>& text) {
    return pg::call(
        [&] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(text->data(), text->size()))); });
}

void add_change(ResultSet& rows, const record::HeldEntry& found) {
    auto const& entry = found.entry;
    auto const by = entry.text(record::Field::kActor);
    auto const subject = entry.text(record::Field::kSubject);
    auto const before = entry.text(record::Field::kOldValue);
    auto const after = entry.text(record::Field::kNewValue);
    Datum values[7] = {};
    bool nulls[7] = {};
    pg::call([&] {
        values[0] = time_datum(entry.time());
        values[1] = text_datum(by.value_or(""));
        values[2] = text_datum(subject.value_or(""));
        values[5] = Int64GetDatum(static_cast<int64>(found.index));
        values[6] = Int64GetDatum(static_cast<int64>(entry.uint(record::Field::kXid).value_or(0)));
    });
    nulls[3] = !before;
    nulls[4] = !after;
    if (before) values[3] = json_datum(before);
    if (after) values[4] = json_datum(after);
    rows.add(values, nulls);
}

}  // namespace

// Deferred: it records what is left of a transaction's changes when that commits.
HOOPGUARD_SQL_FUNCTION(hoopguard_record_policy_change) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw pg::Refusal(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                          "this function can only be called as a trigger");
    auto const& data = *reinterpret_cast<TriggerData*>(fcinfo->context);
    auto* const description = RelationGetDescr(data.tg_relation);
    std::optional<std::string> before;
    std::optional<std::string> after;
    bool const update = TRIGGER_FIRED_BY_UPDATE(data.tg_event);
    if (!TRIGGER_FIRED_BY_INSERT(data.tg_event)) before = json_of(data.tg_trigtuple, description);
    if (!TRIGGER_FIRED_BY_DELETE(data.tg_event))
        after = json_of(update ? data.tg_newtuple : data.tg_trigtuple, description);
    if (before != after)
        record::record_policy_change(identify::known_actor(), subject_of(data.tg_relation, data.tg_trigtuple),
                                     before, after);
    return PointerGetDatum(nullptr);
}

HOOPGUARD_SQL_FUNCTION(hoopguard_policy_changes) {
    require_reader();
    ResultSet rows(fcinfo);
    auto const journal = open_journal();
    auto const origins = journal.origins();
    for (const record::OriginEnd& origin : std::views::reverse(origins)) {
        auto const reader = record::StreamReader::open(*journal.directory, origin.directory, origin.end);
        if (!reader) refuse_reading(reader.error());
        record::Scan scan(**reader, {});
        for (;;) {
            auto const step = scan.next();
            if (step == record::Step::kFault) refuse_reading(scan.error());
            if (step == record::Step::kEnd) break;
            breathe();
            if (scan.found().entry.type() == record::EntryType::kPolicyChange) add_change(rows, scan.found());
        }
    }
    return 0;
}
