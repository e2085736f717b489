// Entries as text.
#include "record/entry_text.hpp"

#include "base/text.hpp"
#include "record/assemble.hpp"
#include "record/names.hpp"

#include <cstdio>

namespace hoopguard::record {
namespace {

std::string signed_text(const CborItem& item) {
    if (item.major == CborMajor::kUnsigned) return std::to_string(item.value);
    // -1 - value, which need not fit 64 bits.
    return item.value == UINT64_MAX ? "-18446744073709551616" : "-" + std::to_string(item.value + 1);
}

std::string hex_json(base::ByteView bytes) {
    return "{\"hex\": \"" + base::to_hex(bytes) + "\"}";
}

// One CBOR item as JSON. Nesting deeper than entries have becomes null.
std::string item_json(CborReader& reader, int depth) {
    CborItem item;
    CborReader whole = reader;
    if (!reader.next(item)) return "null";
    switch (item.major) {
        case CborMajor::kUnsigned:
        case CborMajor::kNegative: return signed_text(item);
        case CborMajor::kBytes: return hex_json(item.bytes);
        case CborMajor::kText: {
            const std::string_view text = base::text_of(item.bytes);
            return base::is_utf8(text) ? base::json_quoted(text) : hex_json(item.bytes);
        }
        case CborMajor::kSimple: return item.is_null() ? "null" : item.value == kCborTrue ? "true" : "false";
        default: break;
    }
    constexpr int kMaxDepth = 8;
    if (depth == kMaxDepth || item.major == CborMajor::kMap) {
        if (whole.skip()) reader = whole;
        return "null";
    }
    std::string out = "[";
    for (std::uint64_t i = 0; i < item.value; ++i) {
        if (i > 0) out += ", ";
        out += item_json(reader, depth + 1);
    }
    return out + "]";
}

std::string field_json(const EntryView& entry, const FieldCursor& field) {
    const std::uint64_t key = field.key();
    if (key == static_cast<std::uint64_t>(Field::kDecision)) {
        if (const auto verdict = entry.uint(Field::kDecision)) return base::json_quoted(verdict_text(*verdict));
    }
    if (key == static_cast<std::uint64_t>(Field::kTransactionOutcome)) {
        if (const auto outcome = entry.uint(Field::kTransactionOutcome))
            return base::json_quoted(to_text(static_cast<TransactionOutcome>(
                std::min<std::uint64_t>(*outcome, static_cast<std::uint64_t>(TransactionOutcome::kUnknown)))));
    }
    CborReader reader = field.value();
    return item_json(reader, 0);
}

// A value for people: texts bare where they are one word, numbers as they are.
std::string field_text(const EntryView& entry, const FieldCursor& field) {
    CborItem item;
    CborReader reader = field.value();
    if (reader.next(item) && item.is_string() && item.major == CborMajor::kText) {
        const std::string text = base::printable(base::text_of(item.bytes));
        const bool bare = !text.empty() && text.find_first_of(" \"'=,") == std::string::npos;
        return bare ? text : "\"" + text + "\"";
    }
    if (field.key() == static_cast<std::uint64_t>(Field::kDuration) && item.major == CborMajor::kUnsigned)
        return duration_text(item.value);
    return base::printable(field_json(entry, field));
}

void append_flags(std::string& out, std::uint16_t flags, std::string_view before, std::string_view quote) {
    for (bool first = true; flags != 0; first = false) {
        if (!first) out += before;
        out += quote;
        out += take_flag_name(flags);
        out += quote;
    }
}

}  // namespace

std::string duration_text(std::uint64_t nanoseconds) {
    char text[40];
    const auto value = static_cast<double>(nanoseconds);
    if (nanoseconds < 1'000'000)
        std::snprintf(text, sizeof text, "%.1f us", value / 1e3);
    else if (nanoseconds < 1'000'000'000)
        std::snprintf(text, sizeof text, "%.3f ms", value / 1e6);
    else
        std::snprintf(text, sizeof text, "%.3f s", value / 1e9);
    return text;
}

std::string entry_json(const EntryView& entry, std::uint64_t index, std::string_view origin) {
    std::string out = "{\"origin\": " + base::json_quoted(origin) + ", \"entry\": " + std::to_string(index) +
                      ", \"position\": " + std::to_string(entry.position()) + ", \"time\": \"" +
                      base::to_rfc3339(entry.time(), 9) + "\", \"type\": \"" + type_name(entry.type()) +
                      "\", \"flags\": [";
    append_flags(out, entry.flags(), ", ", "\"");
    out += "], \"session\": \"" + base::session_text(entry.session()) +
           "\", \"session_sequence\": " + std::to_string(entry.session_sequence()) +
           ", \"database_oid\": " + std::to_string(entry.database()) +
           ", \"login_role_oid\": " + std::to_string(entry.login_role()) +
           ", \"effective_role_oid\": " + std::to_string(entry.effective_role());
    FieldCursor field(entry.payload());
    while (field.next()) out += ", \"" + field_name(field.key()) + "\": " + field_json(entry, field);
    return out + "}";
}

std::string revealed_line(base::ByteView payload) {
    std::string out;
    FieldCursor field(payload);
    while (field.next()) {
        if (!out.empty()) out += ' ';
        out += field_name(field.key()) + "=" + field_text(EntryView(), field);
    }
    return out;
}

std::string entry_line(const EntryView& entry, std::uint64_t index) {
    char fixed[64];
    std::snprintf(fixed, sizeof fixed, " %8llu  %-17s %-15s ", static_cast<unsigned long long>(index),
                  entry.session() != 0 ? base::session_text(entry.session()).c_str() : "-",
                  type_name(entry.type()).c_str());
    std::string out = base::to_rfc3339(entry.time(), 6) + fixed;
    if (entry.flags() != 0) {
        out += "[";
        append_flags(out, entry.flags(), " ", "");
        out += "] ";
    }
    FieldCursor field(entry.payload());
    while (field.next())
        if (field.key() != static_cast<std::uint64_t>(Field::kStatement))
            out += field_name(field.key()) + "=" + field_text(entry, field) + " ";
    if (const auto statement = entry.text(Field::kStatement)) out += base::printable(*statement);
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

}  // namespace hoopguard::record
