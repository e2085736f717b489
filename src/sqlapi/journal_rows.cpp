// Filling rows: one column after the other, only those in use.
#include "sqlapi/journal_rows.hpp"

#include "base/text.hpp"
#include "crypto/digest.hpp"
#include "sqlapi/datums.hpp"

extern "C" {
#include "access/transam.h"
#include "utils/fmgrprotos.h"
#include "utils/xid8.h"
}

namespace hoopguard::sqlapi {

using record::EntryView;
using record::Field;

namespace {

// Where a column's value stands in entries. Looking for fields is most of a row's cost, so it is done for columns
// in use alone.
struct FieldColumn {
    int column;
    Field field;
};

#define COLUMN(name) column(kStatementColumns, name)
// Told by the statement's own entry, else by its speaker's.
constexpr FieldColumn kStatementFacts[] = {
    {COLUMN("database"), Field::kDatabaseName},     {COLUMN("actor"), Field::kActor},
    {COLUMN("actor_kind"), Field::kActorKind},      {COLUMN("on_behalf_of"), Field::kOnBehalfOf},
    {COLUMN("client_addr"), Field::kClientAddress}, {COLUMN("application_name"), Field::kApplicationName},
    {COLUMN("request_id"), Field::kRequestId},      {COLUMN("reason"), Field::kReason},
    {COLUMN("command_tag"), Field::kCommandTag},    {COLUMN("statement"), Field::kStatement},
};
constexpr FieldColumn kStatementNumbers[] = {
    {COLUMN("parent_no"), Field::kParentNo},
    {COLUMN("approval"), Field::kApproval},
};
constexpr FieldColumn kStatementLists[] = {
    {COLUMN("groups"), Field::kGroups},
    {COLUMN("classes"), Field::kClasses},
    {COLUMN("objects"), Field::kObjects},
    {COLUMN("decided_by"), Field::kDecidedBy},
};
#undef COLUMN
#define COLUMN(name) column(kSessionColumns, name)
constexpr FieldColumn kSessionFacts[] = {
    {COLUMN("backend_type"), Field::kBackendType},
    {COLUMN("database"), Field::kDatabaseName},
    {COLUMN("actor"), Field::kActor},
    {COLUMN("actor_kind"), Field::kActorKind},
    {COLUMN("provider"), Field::kProvider},
    {COLUMN("on_behalf_of"), Field::kOnBehalfOf},
    {COLUMN("client_addr"), Field::kClientAddress},
    {COLUMN("client_port"), Field::kClientPort},
    {COLUMN("application_name"), Field::kApplicationName},
    {COLUMN("auth_method"), Field::kAuthMethod},
    {COLUMN("authenticated_id"), Field::kAuthenticatedId},
    {COLUMN("tls"), Field::kTls},
    {COLUMN("error"), Field::kError},
};
#undef COLUMN

void set_text(const RowTarget& target, int column, std::string_view text) {
    if (target.wants(column)) target.set(column, text_datum(text));
}

void set_number(const RowTarget& target, int column, std::optional<std::uint64_t> number) {
    if (number) target.set(column, Int64GetDatum(static_cast<int64>(*number)));
}

template <typename Source>
void set_facts(const RowTarget& target, std::span<const FieldColumn> columns, const Source& source) {
    for (const FieldColumn& one : columns) {
        if (!target.wants(one.column)) continue;
        if (auto const text = source.fact(one.field)) target.set(one.column, text_datum(*text));
    }
}

// A role by the name it was recorded with; by its present one when only its OID was.
void set_role(const RowTarget& target, int column, std::optional<std::string_view> name, Oid role) {
    if (name) return target.set(column, text_datum(*name));
    char* present = OidIsValid(role) ? GetUserNameFromId(role, true) : nullptr;
    if (present != nullptr) target.set(column, text_datum(present));
}

// How a transaction ended that nothing on record ends, when pg_xact still knows.
record::TransactionOutcome outcome_in_pg_xact(std::uint64_t xid, record::TransactionOutcome otherwise) {
    FullTransactionId const transaction = FullTransactionIdFromU64(xid);
    if (!FullTransactionIdPrecedes(transaction, ReadNextFullTransactionId())) return otherwise;
    LOCAL_FCINFO(call, 1);
    InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = FullTransactionIdGetDatum(transaction);
    call->args[0].isnull = false;
    Datum const status = pg_xact_status(call);
    if (call->isnull) return otherwise;
    const char* word = TextDatumGetCString(status);
    if (strcmp(word, "committed") == 0) return record::TransactionOutcome::kCommitted;
    if (strcmp(word, "aborted") == 0) return record::TransactionOutcome::kRolledBack;
    return otherwise;
}

record::TransactionOutcome settled(const record::StatementRow& row, bool live) {
    bool const open = row.transaction == record::TransactionOutcome::kUnknown ||
                      row.transaction == record::TransactionOutcome::kPrepared;
    return open && live && row.xid ? outcome_in_pg_xact(*row.xid, row.transaction) : row.transaction;
}

constexpr int pid_of(std::uint64_t session) {
    return static_cast<int>(session & 0xFFFFFFFF);
}

}  // namespace

std::string statement_digest(const EntryView& start) {
    if (auto const digest = start.bytes(Field::kStatementDigest)) return "hmac-sha256:" + base::to_hex(*digest);
    auto const text = start.text(Field::kStatement);
    return text ? "sha256:" + base::to_hex(crypto::sha256(base::bytes_of(*text))) : "";
}

#define COLUMN(name) column(kStatementColumns, name)

namespace {

// What stands in the statement's own entry, or beside it.
void fill_start(const RowTarget& target, const record::StatementScan& scan) {
    const record::StatementRow& row = scan.row();
    const EntryView& start = row.start;
    set_number(target, COLUMN("entry"), row.entry);
    target.set(COLUMN("pid"), Int32GetDatum(pid_of(start.session())));
    if (row.statement_no != 0) set_number(target, COLUMN("statement_no"), row.statement_no);
    target.set(COLUMN("started_at"), time_datum(start.time()));
    set_facts(target, kStatementFacts, scan);
    for (const FieldColumn& one : kStatementNumbers)
        if (target.wants(one.column)) set_number(target, one.column, start.uint(one.field));
    for (const FieldColumn& one : kStatementLists)
        if (target.wants(one.column)) target.set(one.column, texts_datum(scan.facts(one.field)));
    if (target.wants(COLUMN("login_role")))
        set_role(target, COLUMN("login_role"), scan.fact(Field::kLoginRole), start.login_role());
    if (target.wants(COLUMN("effective_role"))) {
        const EntryView* speaker = scan.speaker();
        bool const as_session = speaker == nullptr || speaker->effective_role() == start.effective_role();
        set_role(target, COLUMN("effective_role"),
                 as_session ? scan.fact(Field::kEffectiveRole) : start.text(Field::kEffectiveRole),
                 start.effective_role());
    }
    if (target.wants(COLUMN("query_id"))) {
        if (auto const query = start.integer(Field::kQueryId))
            target.set(COLUMN("query_id"), Int64GetDatum(*query));
    }
    if (target.wants(COLUMN("parameters"))) {
        if (auto const parameters = start.array(Field::kParameters))
            target.set(COLUMN("parameters"), parameters_datum(*parameters, start.database()));
    }
}

void fill_decision(const RowTarget& target, const record::StatementRow& row) {
    // A text that never became a statement was not judged.
    if (target.wants(COLUMN("decision")) && row.start.type() == record::EntryType::kStatement)
        target.set(COLUMN("decision"), text_datum(record::verdict_text(row.decision())));
    if (target.wants(COLUMN("guardrail"))) {
        if (auto const guardrail = row.guardrail()) target.set(COLUMN("guardrail"), text_datum(*guardrail));
    }
    if (target.wants(COLUMN("enforced"))) {
        if (auto const enforced = row.enforced()) target.set(COLUMN("enforced"), BoolGetDatum(*enforced));
    }
}

}  // namespace

void fill_statement(const RowTarget& target, const record::StatementScan& scan, const RowTexts& texts, bool live) {
    const record::StatementRow& row = scan.row();
    fill_start(target, scan);
    fill_decision(target, row);
    set_text(target, COLUMN("origin"), scan.origin());
    set_text(target, COLUMN("session_id"), texts.session);
    if (!texts.digest.empty()) set_text(target, COLUMN("statement_digest"), texts.digest);
    if (target.wants(COLUMN("duration"))) {
        if (auto const duration = row.duration()) target.set(COLUMN("duration"), interval_datum(*duration));
    }
    if (target.wants(COLUMN("rows"))) set_number(target, COLUMN("rows"), row.rows());
    if (target.wants(COLUMN("sqlstate")) && !row.sqlstate().empty())
        target.set(COLUMN("sqlstate"), text_datum(row.sqlstate()));
    if (target.wants(COLUMN("error")) && !row.error().empty())
        target.set(COLUMN("error"), text_datum(row.error()));
    if (target.wants(COLUMN("masked"))) {
        bool const later = row.ending && !row.ending->masked.empty();
        target.set(COLUMN("masked"),
                   later ? texts_datum(row.ending->masked) : texts_datum(row.start.array(Field::kMasked)));
    }
    if (row.xid) target.set(COLUMN("xid"), FullTransactionIdGetDatum(FullTransactionIdFromU64(*row.xid)));
    set_text(target, COLUMN("outcome"), to_text(row.outcome));
    if (target.wants(COLUMN("transaction_outcome")))
        target.set(COLUMN("transaction_outcome"), text_datum(to_text(settled(row, live))));
}

#undef COLUMN
#define COLUMN(name) column(kSessionColumns, name)

void fill_session(const RowTarget& target, const record::SessionScan& scan, const RowTexts& texts) {
    const record::SessionRow& row = scan.row();
    set_text(target, COLUMN("origin"), scan.origin());
    set_text(target, COLUMN("session_id"), texts.session);
    target.set(COLUMN("pid"), Int32GetDatum(pid_of(row.session)));
    target.set(COLUMN("started_at"), time_datum(row.started));
    if (row.ended) target.set(COLUMN("ended_at"), time_datum(*row.ended));
    set_text(target, COLUMN("state"), to_text(row.state));
    set_facts(target, kSessionFacts, row);
    if (target.wants(COLUMN("login_role")))
        set_role(target, COLUMN("login_role"), row.fact(Field::kLoginRole), static_cast<Oid>(row.login_role));
    if (target.wants(COLUMN("groups"))) target.set(COLUMN("groups"), texts_datum(row.facts(Field::kGroups)));
    set_number(target, COLUMN("statements"), row.statements);
    set_number(target, COLUMN("refused"), row.refused);
    set_number(target, COLUMN("errors"), row.errors);
}

#undef COLUMN
#define COLUMN(name) column(kSegmentColumns, name)

void fill_segment(const RowTarget& target, const SegmentRow& row) {
    set_text(target, COLUMN("origin"), row.origin);
    set_number(target, COLUMN("segment"), row.number);
    set_text(target, COLUMN("file"), row.file);
    set_number(target, COLUMN("size"), row.size);
    if (row.entries > 0) {
        set_number(target, COLUMN("first_entry"), row.first_entry);
        set_number(target, COLUMN("last_entry"), row.first_entry + row.entries - 1);
        target.set(COLUMN("oldest_at"), time_datum(row.oldest));
        target.set(COLUMN("newest_at"), time_datum(row.newest));
    }
    target.set(COLUMN("created_at"), time_datum(row.created));
    target.set(COLUMN("sealed"), BoolGetDatum(row.sealed));
}

#undef COLUMN

}  // namespace hoopguard::sqlapi
