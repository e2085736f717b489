// Which privileges a statement needs on an object, as one number: what the journal's field `privileges` holds
// (doc/journal_format.md, section 5.6). Bits 0 to 15: the privileges; 16 to 23: the object's kind; 32 to 63: the
// role that is asked for them, where that is not the one that runs the statement.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hoopguard::classify {

enum Privilege : std::uint16_t {
    kSelect = 1 << 0,
    kInsert = 1 << 1,
    kUpdate = 1 << 2,
    kDelete = 1 << 3,
    kTruncate = 1 << 4,
    kExecute = 1 << 5,
    kUsage = 1 << 6,
    kCreate = 1 << 7,  // of a schema: in the database; of anything else: in its schema
    kOwnership = 1 << 8,
    kTrigger = 1 << 9,
};

// By the number of their bit.
inline constexpr std::array<std::string_view, 10> kPrivilegeNames = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "EXECUTE", "USAGE", "CREATE", "OWNERSHIP", "TRIGGER"};

// By their number, which is fixed for ever: new ones go to the end.
inline constexpr std::array<std::string_view, 22> kNeedKinds = {
    "table",         "view",        "materialized_view",
    "foreign_table", "sequence",    "function",
    "procedure",     "aggregate",   "schema",
    "database",      "language",    "type",
    "domain",        "extension",   "operator",
    "collation",     "text_search", "foreign_data_wrapper",
    "server",        "statistics",  "publication",
    "index"};
inline constexpr std::size_t kUnknownNeedKind = 255;

constexpr std::size_t number_of_kind(std::string_view kind) noexcept {
    for (std::size_t at = 0; at < kNeedKinds.size(); ++at)
        if (kNeedKinds[at] == kind) return at;
    return kUnknownNeedKind;
}

// Whether objects of this kind have a schema: their names are then "schema.name".
constexpr bool lives_in_schema(std::string_view kind) noexcept {
    for (auto const other :
         {"schema", "database", "language", "extension", "foreign_data_wrapper", "server", "publication"})
        if (kind == other) return false;
    return true;
}

struct Need {
    std::uint16_t privileges = 0;
    std::uint8_t kind = 0;
    std::uint32_t role = 0;  // 0: the effective role

    static constexpr Need of(std::uint64_t number) noexcept {
        return {static_cast<std::uint16_t>(number), static_cast<std::uint8_t>(number >> 16),
                static_cast<std::uint32_t>(number >> 32)};
    }
    static constexpr Need on(std::string_view kind, std::uint16_t privileges, std::uint32_t role = 0) noexcept {
        return {privileges, static_cast<std::uint8_t>(number_of_kind(kind)), role};
    }
    constexpr std::uint64_t number() const noexcept {
        return privileges | std::uint64_t{kind} << 16 | std::uint64_t{role} << 32;
    }
    constexpr std::string_view kind_name() const noexcept {
        return kind < kNeedKinds.size() ? kNeedKinds[kind] : std::string_view("object");
    }
};

}  // namespace hoopguard::classify
