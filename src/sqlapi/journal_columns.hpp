// The journal's foreign tables: which there are, their columns in order, and which columns narrow a scan.
// The install script defines the tables in the same order; opening a scan checks that it does.
#pragma once

#include "pg/prelude.hpp"

#include <iterator>
#include <optional>
#include <string_view>

namespace hoopguard::sqlapi {

// What a foreign table shows: its option "content".
enum class Content : int { kStatement, kSession, kSegment };

// What a comparison with a column narrows.
enum class Key : int { kNone, kEntry, kOrigin, kSession, kStartedAt, kLoginRole, kActor };

struct Column {
    const char* name;
    Oid type;
    Key key = Key::kNone;
};

inline constexpr Column kStatementColumns[] = {
    {"entry", INT8OID, Key::kEntry},
    {"origin", TEXTOID, Key::kOrigin},
    {"session_id", TEXTOID, Key::kSession},
    {"pid", INT4OID},
    {"statement_no", INT8OID},
    {"parent_no", INT8OID},
    {"started_at", TIMESTAMPTZOID, Key::kStartedAt},
    {"duration", INTERVALOID},
    {"database", TEXTOID},
    {"login_role", TEXTOID, Key::kLoginRole},
    {"effective_role", TEXTOID},
    {"actor", TEXTOID, Key::kActor},
    {"actor_kind", TEXTOID},
    {"on_behalf_of", TEXTOID},
    {"groups", TEXTARRAYOID},
    {"client_addr", TEXTOID},
    {"application_name", TEXTOID},
    {"request_id", TEXTOID},
    {"reason", TEXTOID},
    {"command_tag", TEXTOID},
    {"classes", TEXTARRAYOID},
    {"objects", TEXTARRAYOID},
    {"query_id", INT8OID},
    {"statement", TEXTOID},
    {"statement_digest", TEXTOID},
    {"parameters", JSONBOID},
    {"decision", TEXTOID},
    {"guardrail", TEXTOID},
    {"enforced", BOOLOID},
    {"approval", INT8OID},
    {"decided_by", TEXTARRAYOID},
    {"rows", INT8OID},
    {"sqlstate", TEXTOID},
    {"error", TEXTOID},
    {"masked", TEXTARRAYOID},
    {"xid", XID8OID},
    {"outcome", TEXTOID},
    {"transaction_outcome", TEXTOID},
};

inline constexpr Column kSessionColumns[] = {
    {"origin", TEXTOID, Key::kOrigin},
    {"session_id", TEXTOID, Key::kSession},
    {"pid", INT4OID},
    {"backend_type", TEXTOID},
    {"started_at", TIMESTAMPTZOID},
    {"ended_at", TIMESTAMPTZOID},
    {"state", TEXTOID},
    {"database", TEXTOID},
    {"login_role", TEXTOID, Key::kLoginRole},
    {"actor", TEXTOID, Key::kActor},
    {"actor_kind", TEXTOID},
    {"provider", TEXTOID},
    {"on_behalf_of", TEXTOID},
    {"groups", TEXTARRAYOID},
    {"client_addr", TEXTOID},
    {"client_port", TEXTOID},
    {"application_name", TEXTOID},
    {"auth_method", TEXTOID},
    {"authenticated_id", TEXTOID},
    {"tls", TEXTOID},
    {"statements", INT8OID},
    {"refused", INT8OID},
    {"errors", INT8OID},
    {"error", TEXTOID},
};

inline constexpr Column kSegmentColumns[] = {
    {"origin", TEXTOID, Key::kOrigin},
    {"segment", INT8OID},
    {"file", TEXTOID},
    {"size", INT8OID},
    {"first_entry", INT8OID},
    {"last_entry", INT8OID},
    {"created_at", TIMESTAMPTZOID},
    {"oldest_at", TIMESTAMPTZOID},
    {"newest_at", TIMESTAMPTZOID},
    {"sealed", BOOLOID},
};

struct Columns {
    const char* content;
    const Column* first;
    int count;
};

constexpr Columns columns_of(Content content) {
    switch (content) {
        case Content::kSession: return {"session", kSessionColumns, std::size(kSessionColumns)};
        case Content::kSegment: return {"segment", kSegmentColumns, std::size(kSegmentColumns)};
        case Content::kStatement: break;
    }
    return {"statement", kStatementColumns, std::size(kStatementColumns)};
}

// The place of a column in its table, from 0; for use at compile time, where a wrong name does not build.
template <std::size_t count>
consteval int column(const Column (&columns)[count], std::string_view name) {
    for (std::size_t i = 0; i < count; ++i)
        if (name == columns[i].name) return static_cast<int>(i);
    throw "no such column";
}

inline std::optional<Content> content_named(std::string_view name) {
    for (Content content : {Content::kStatement, Content::kSession, Content::kSegment})
        if (name == columns_of(content).content) return content;
    return std::nullopt;
}

}  // namespace hoopguard::sqlapi
