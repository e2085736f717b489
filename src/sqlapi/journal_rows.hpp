// Statements, sessions and segments of the journal as rows of their foreign tables.
// The fill functions raise and are called inside pg::call; what they need as std::string is made before.
#pragma once

#include "record/session_scan.hpp"
#include "record/statement_scan.hpp"
#include "sqlapi/journal_columns.hpp"

#include <bitset>
#include <string>

namespace hoopguard::sqlapi {

// The columns that the query uses, from 0; others are left null.
using UsedColumns = std::bitset<64>;

struct RowTarget {
    UsedColumns used;
    Datum* values;
    bool* nulls;
    bool wants(int column) const { return used[static_cast<std::size_t>(column)]; }
    void set(int column, Datum value) const {
        values[column] = value;
        nulls[column] = false;
    }
};

// What takes memory to make, made before the row is filled; kept between rows.
struct RowTexts {
    std::string session;
    std::string digest;
};

// "sha256:…" over the recorded text when it is whole, else "hmac-sha256:…" as recorded; empty without a text.
std::string statement_digest(const record::EntryView& start);

// `live`: the origin is this server's own, so its transaction ids mean something here.
void fill_statement(const RowTarget& target, const record::StatementScan& scan, const RowTexts& texts, bool live);
void fill_session(const RowTarget& target, const record::SessionScan& scan, const RowTexts& texts);

struct SegmentRow {
    const char* origin;
    std::uint64_t number;
    const char* file;
    std::uint64_t size;
    std::uint64_t first_entry;
    std::uint64_t entries;
    std::uint64_t created;
    std::uint64_t oldest;  // meaningful when there are entries
    std::uint64_t newest;
    bool sealed;
};
void fill_segment(const RowTarget& target, const SegmentRow& row);

}  // namespace hoopguard::sqlapi
