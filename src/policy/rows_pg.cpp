// Reading tuples by column name. Values are copied to plain C memory inside the wall and to C++ outside of it.
#include "policy/rows_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/report.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/dbcommands.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace hoopguard::policy {

namespace {

// Named apart: within RowReader "text" is a function.
char* copied_text(Datum value) {
    return text_to_cstring(DatumGetTextPP(value));
}

}  // namespace

struct RowReader::Cell {
    Datum value;
    bool null;
    Oid type;
};

RowReader::Cell RowReader::cell(const char* column) const {
    return pg::call([this, column] {
        Cell found = {0, true, InvalidOid};
        for (int i = 0; i < description_->natts; ++i) {
            auto const* attribute = TupleDescAttr(description_, i);
            if (attribute->attisdropped || strcmp(NameStr(attribute->attname), column) != 0) continue;
            found.value = heap_getattr(tuple_, i + 1, description_, &found.null);
            found.type = attribute->atttypid;
        }
        return found;
    });
}

std::optional<std::string> RowReader::text(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    return pg::call([found] { return copied_text(found.value); });
}

std::optional<std::string> RowReader::json(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    return pg::call([found] { return DatumGetCString(DirectFunctionCall1(jsonb_out, found.value)); });
}

std::optional<Words> RowReader::words(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    struct Items {
        const char** texts;
        int count;
    };
    auto const items = pg::call([found] {
        Datum* values;
        bool* nulls;
        int count;
        deconstruct_array(DatumGetArrayTypeP(found.value), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
                          &count);
        auto** texts = static_cast<const char**>(palloc(sizeof(char*) * static_cast<std::size_t>(count + 1)));
        for (int i = 0; i < count; ++i) texts[i] = nulls[i] ? "" : copied_text(values[i]);
        return Items{texts, count};
    });
    return Words(items.texts, items.texts + items.count);
}

std::optional<std::int64_t> RowReader::number(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    return found.type == INT4OID ? DatumGetInt32(found.value) : DatumGetInt64(found.value);
}

std::optional<double> RowReader::real(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    return DatumGetFloat8(found.value);
}

std::optional<std::string> RowReader::role(const char* column, std::optional<std::string> known) const {
    auto const found = cell(column);
    if (found.null) return known;
    auto const* const name = pg::call([found] { return GetUserNameFromId(DatumGetObjectId(found.value), true); });
    return name != nullptr ? std::optional<std::string>(name) : known;
}

std::optional<bool> RowReader::boolean(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    return DatumGetBool(found.value);
}

std::optional<std::int64_t> RowReader::interval(const char* column) const {
    auto const found = cell(column);
    if (found.null) return std::nullopt;
    auto const* span = DatumGetIntervalP(found.value);
    return span->time + (span->day + std::int64_t{span->month} * DAYS_PER_MONTH) * USECS_PER_DAY;
}

std::optional<std::int64_t> RowReader::time(const char* column) const {
    auto const found = cell(column);
    if (found.null || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(found.value))) return std::nullopt;
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    return DatumGetTimestampTz(found.value) + kEpochs;
}

Guardrail read_guardrail(const RowReader& row) {
    Guardrail result;
    result.name = row.text("name").value_or("");
    result.action = row.text("action").value_or("");
    result.classes = row.words("classes").value_or(Words{});
    result.roles = row.words("roles");
    result.except_roles = row.words("except_roles");
    result.databases = row.words("databases");
    result.objects = row.words("objects");
    result.max_rows = row.number("max_rows");
    result.per = row.interval("per");
    result.max_cost = row.real("max_cost");
    result.max_duration = row.interval("max_duration");
    result.schedule = row.text("schedule");
    result.approvers = row.words("approvers");
    result.min_approvals = row.number("min_approvals");
    result.wait = row.interval("wait");
    result.message = row.text("message");
    result.mode = row.text("mode").value_or("");
    return result;
}

ActorRow read_actor(const RowReader& row) {
    ActorRow result;
    result.provider = row.text("provider");
    result.name = row.text("name").value_or("");
    result.kind = row.text("kind").value_or("");
    result.owner = row.text("owner");
    result.purpose = row.text("purpose");
    result.pooled = row.boolean("pooled").value_or(false);
    result.expires_at = row.time("expires_at");
    return result;
}

LockRow read_lock(const RowReader& row) {
    LockRow result;
    result.name = row.text("name").value_or("");
    result.reason = row.text("reason").value_or("");
    result.until = row.time("until");
    result.owned = row.boolean("owned").value_or(true);
    result.locked_by = row.text("locked_by").value_or("");
    result.locked_at = row.time("locked_at").value_or(0);
    return result;
}

Grant read_grant(const RowReader& row) {
    Grant result;
    result.id = row.number("id").value_or(0);
    result.request = row.number("request");
    result.provider = row.text("provider");
    result.actor = row.text("actor").value_or("");
    result.role = row.role("role_oid", row.text("role"));
    result.member = row.role("member_oid", row.text("member"));
    result.made = row.boolean("made").value_or(false);
    result.classes = row.words("classes");
    result.objects = row.words("objects");
    result.unmask = row.words("unmask");
    result.database = row.text("database");
    result.session = row.text("session_id");
    result.valid_until = row.time("valid_until");
    result.decided_by = row.words("decided_by");
    result.valid_from = row.time("valid_from").value_or(0);
    result.break_glass = row.boolean("break_glass").value_or(false);
    return result;
}

DataClassRow read_data_class(const RowReader& row) {
    DataClassRow result;
    result.name = row.text("name").value_or("");
    result.method = row.text("method").value_or("");
    result.description = row.text("description");
    result.built_in = row.boolean("built_in").value_or(false);
    return result;
}

MaskPolicyRow read_mask_policy(const RowReader& row) {
    MaskPolicyRow result;
    result.data_class = row.text("data_class").value_or("");
    result.method = row.text("method").value_or("");
    result.roles = row.words("roles");
    result.except_roles = row.words("except_roles");
    result.databases = row.words("databases");
    result.objects = row.words("objects");
    result.rank = row.number("rank").value_or(0);
    return result;
}

Provider read_provider(const RowReader& row) {
    Provider result;
    result.name = row.text("name").value_or("");
    result.kind = row.text("kind").value_or("");
    result.issuer = row.text("issuer").value_or("");
    result.audience = row.words("audience").value_or(Words{});
    result.jwks = row.json("jwks");
    result.jwks_uri = row.text("jwks_uri");
    result.algorithms = row.words("algorithms").value_or(Words{});
    result.subject_claim = row.text("subject_claim").value_or("");
    result.groups_claim = row.text("groups_claim").value_or("");
    result.delegation_claim = row.text("delegation_claim").value_or("");
    result.max_session = row.interval("max_session");
    result.enabled = row.boolean("enabled").value_or(false);
    return result;
}

RoleMap read_role_map(const RowReader& row) {
    RoleMap result;
    result.provider = row.text("provider").value_or("");
    result.group_name = row.text("group_name");
    result.claims = row.json("claims");
    result.role = row.text("role").value_or("");
    result.session_role = row.text("session_role").value_or("");
    result.rank = row.number("rank").value_or(0);
    return result;
}

namespace {

// A scan that is open; closed on every way out but a PostgreSQL error, which ends the transaction with it.
struct Scan {
    Relation relation;
    TableScanDesc scan;
};

template <class Take>
void read_all(Oid table, const char* name, Take take) {
    auto const open = pg::call([table, name] {
        Relation relation = table_open(table, AccessShareLock);
        if (relation->rd_rel->relkind != RELKIND_RELATION)
            ereport(ERROR,
                    (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                     errmsg("hoopguard.%s in the control database \"%s\" is not a table", name,
                            get_database_name(MyDatabaseId)),
                     errhint("The extension was created here while another database was the control database: run "
                             "DROP EXTENSION hoopguard and CREATE EXTENSION hoopguard here.")));
        return Scan{relation, table_beginscan(relation, GetActiveSnapshot(), 0, nullptr)};
    });
    for (;;) {
        auto* const tuple = pg::call([open] { return heap_getnext(open.scan, ForwardScanDirection); });
        if (tuple == nullptr) break;
        take(RowReader(tuple, RelationGetDescr(open.relation)));
    }
    pg::call([open] {
        table_endscan(open.scan);
        table_close(open.relation, AccessShareLock);
    });
}

// The active grants alone, however many past ones the table holds: its index of active ones has no other. Without
// that index the whole table is read.
void read_grants(Oid table, std::vector<Grant>& grants) {
    struct IndexScan {
        Relation relation;
        SysScanDesc scan;
    };
    auto const open = pg::call([table] {
        Relation relation = table_open(table, AccessShareLock);
        Oid const index = get_relname_relid("jit_grant_active", RelationGetNamespace(relation));
        bool const usable = OidIsValid(index) && list_member_oid(RelationGetIndexList(relation), index);
        return IndexScan{relation, systable_beginscan(relation, index, usable, GetActiveSnapshot(), 0, nullptr)};
    });
    for (;;) {
        auto* const tuple = pg::call([open] { return systable_getnext(open.scan); });
        if (tuple == nullptr) break;
        RowReader const row(tuple, RelationGetDescr(open.relation));
        if (row.text("state") == "active") grants.push_back(read_grant(row));
    }
    pg::call([open] {
        systable_endscan(open.scan);
        table_close(open.relation, AccessShareLock);
    });
}

}  // namespace

Oid policy_table(const char* name) {
    return pg::call([name] {
        Oid const schema = get_namespace_oid("hoopguard", true);
        return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
    });
}

namespace {

// A table that an earlier version of the SQL objects lacks has no rows.
template <class Row>
void read_into(std::vector<Row>& rows, const char* name, Row (*read)(const RowReader&)) {
    Oid const table = policy_table(name);
    if (OidIsValid(table)) read_all(table, name, [&](const RowReader& row) { rows.push_back(read(row)); });
}

}  // namespace

std::vector<DataClassRow> read_data_classes() {
    std::vector<DataClassRow> rows;
    read_into(rows, "data_class", read_data_class);
    return rows;
}

std::vector<MaskPolicyRow> read_mask_policies() {
    std::vector<MaskPolicyRow> rows;
    read_into(rows, "mask_policy", read_mask_policy);
    return rows;
}

std::optional<Tables> read_tables() {
    if (!OidIsValid(policy_table("guardrail")) && !OidIsValid(policy_table("actor"))) return std::nullopt;
    Tables tables;
    tables.database = pg::call([] { return get_database_name(MyDatabaseId); });
    read_into(tables.guardrails, "guardrail", read_guardrail);
    read_into(tables.actors, "actor", read_actor);
    tables.data_classes = read_data_classes();
    tables.mask_policies = read_mask_policies();
    read_into(tables.locks, "locked_actor", read_lock);
    if (Oid const grants = policy_table("jit_grant"); OidIsValid(grants)) read_grants(grants, tables.grants);
    read_into(tables.providers, "provider", read_provider);
    read_into(tables.role_maps, "role_map", read_role_map);
    return tables;
}

}  // namespace hoopguard::policy
