// From tuples of the policy tables to plain rows, by the names of columns: a column that an earlier version of the
// SQL objects lacks reads as NULL.
#pragma once

#include "pg/prelude.hpp"
#include "policy/tables.hpp"

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
}

namespace hoopguard::policy {

// Reads one tuple; both must outlive it. Every function may throw pg::Error. Texts come back as they are stored;
// NULL elements of arrays as empty texts, which no column allows.
class RowReader {
 public:
    RowReader(HeapTuple tuple, TupleDesc description) noexcept : tuple_(tuple), description_(description) {}

    std::optional<std::string> text(const char* column) const;
    std::optional<Words> words(const char* column) const;
    std::optional<std::string> json(const char* column) const;     // jsonb
    std::optional<std::int64_t> number(const char* column) const;  // int4, int8
    std::optional<double> real(const char* column) const;
    // The present name of the role of that OID; `known` when there is none.
    std::optional<std::string> role(const char* column, std::optional<std::string> known) const;
    std::optional<bool> boolean(const char* column) const;
    // Microseconds; a month counts 30 days.
    std::optional<std::int64_t> interval(const char* column) const;
    // Microseconds since 1970-01-01 UTC; infinity is nothing.
    std::optional<std::int64_t> time(const char* column) const;

 private:
    struct Cell;
    Cell cell(const char* column) const;
    HeapTuple tuple_;
    TupleDesc description_;
};

Guardrail read_guardrail(const RowReader& row);
ActorRow read_actor(const RowReader& row);
LockRow read_lock(const RowReader& row);
Grant read_grant(const RowReader& row);
DataClassRow read_data_class(const RowReader& row);
MaskPolicyRow read_mask_policy(const RowReader& row);
Provider read_provider(const RowReader& row);
RoleMap read_role_map(const RowReader& row);

// Reads all policy tables as the active snapshot sees them, by scanning them: no planner, no rule, no row
// security. Nothing when the current database holds no policy tables. Throws pg::Error, and pg::Refusal when they
// are not what the extension made.
std::optional<Tables> read_tables();

// The rows of one table, as the active snapshot sees them. Throw as read_tables() does.
std::vector<DataClassRow> read_data_classes();
std::vector<MaskPolicyRow> read_mask_policies();

// The OID of a table of schema hoopguard in the current database; InvalidOid when it is missing. May throw
// pg::Error.
Oid policy_table(const char* name);

}  // namespace hoopguard::policy
