// Journal values as Datums. Runs inside pg::call: errors jump, so locals are plain.
#include "sqlapi/datums.hpp"

#include "base/text.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace hoopguard::sqlapi {

namespace {

constexpr std::int64_t kEpochMicroseconds =
    static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

struct Piece {
    char* data;
    int length;
};

bool is_plain(std::string_view text) noexcept {
    for (char const byte : text)
        if (byte == '\0' || (byte & 0x80) != 0) return false;
    return true;
}

Piece copied(std::string_view text) {
    auto* data = static_cast<char*>(palloc(text.size() + 1));
    memcpy(data, text.data(), text.size());
    data[text.size()] = '\0';
    return {data, static_cast<int>(text.size())};
}

// Everything that is not ASCII, and a NUL, as \xNN.
Piece escaped(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    auto* data = static_cast<char*>(palloc(text.size() * 4 + 1));
    int length = 0;
    for (char const byte : text) {
        if (byte != '\0' && (byte & 0x80) == 0) {
            data[length++] = byte;
            continue;
        }
        data[length++] = '\\';
        data[length++] = 'x';
        data[length++] = kDigits[static_cast<unsigned char>(byte) >> 4];
        data[length++] = kDigits[byte & 15];
    }
    data[length] = '\0';
    return {data, length};
}

// UTF-8 in a database of another encoding; false when a character has no place in it.
bool converted(std::string_view text, Piece* piece) {
    int const encoding = GetDatabaseEncoding();
    Oid const procedure = FindDefaultConversionProc(PG_UTF8, encoding);
    if (!OidIsValid(procedure)) return false;
    auto const size = static_cast<int>(text.size() * MAX_CONVERSION_GROWTH + 1);
    auto* data = static_cast<unsigned char*>(palloc(size));
    auto* source = reinterpret_cast<unsigned char*>(copied(text).data);
    int const done = pg_do_encoding_conversion_buf(procedure, PG_UTF8, encoding, source,
                                                   static_cast<int>(text.size()), data, size, true);
    if (done != static_cast<int>(text.size())) return false;
    *piece = {reinterpret_cast<char*>(data), static_cast<int>(strlen(reinterpret_cast<char*>(data)))};
    return true;
}

Piece in_this_encoding(std::string_view text) {
    if (is_plain(text)) return copied(text);
    int const encoding = GetDatabaseEncoding();
    Piece piece;
    if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII && text.find('\0') == std::string_view::npos &&
        base::is_utf8(text) && converted(text, &piece))
        return piece;
    if (pg_verify_mbstr(encoding, text.data(), static_cast<int>(text.size()), true)) return copied(text);
    return escaped(text);
}

void push_text(JsonbParseState** state, JsonbIteratorToken token, std::string_view text) {
    Piece const piece = in_this_encoding(text);
    JsonbValue value;
    value.type = jbvString;
    value.val.string.val = piece.data;
    value.val.string.len = piece.length;
    pushJsonbValue(state, token, &value);
}

void push_number(JsonbParseState** state, JsonbIteratorToken token, std::uint64_t number) {
    JsonbValue value;
    value.type = jbvNumeric;
    value.val.numeric = int64_to_numeric(static_cast<int64>(number));
    pushJsonbValue(state, token, &value);
}

char* type_name(Oid type, Oid database) {
    // Built-in types are the same everywhere; others only in the database that made them.
    if (type < FirstGenbkiObjectId || database == MyDatabaseId) {
        char* name = format_type_extended(type, -1, FORMAT_TYPE_ALLOW_INVALID);
        if (strcmp(name, "???") != 0 && strcmp(name, "-") != 0) return name;
    }
    return psprintf("%u", type);
}

void push_parameter(JsonbParseState** state, record::CborReader& parameter, std::uint64_t fields, Oid database) {
    record::CborItem item;
    pushJsonbValue(state, WJB_BEGIN_OBJECT, nullptr);
    for (std::uint64_t i = 0; i < fields; ++i) {
        if (!parameter.next(item)) break;
        if (i == 0) {
            push_text(state, WJB_KEY, "type");
            push_text(state, WJB_VALUE, type_name(static_cast<Oid>(item.value), database));
        } else if (i == 1) {
            push_text(state, WJB_KEY, "value");
            JsonbValue null;
            null.type = jbvNull;
            if (item.is_string())
                push_text(state, WJB_VALUE, base::text_of(item.bytes));
            else
                pushJsonbValue(state, WJB_VALUE, &null);
        } else if (i == 2) {
            push_text(state, WJB_KEY, "length");
            push_number(state, WJB_VALUE, item.value);
        }
    }
    pushJsonbValue(state, WJB_END_OBJECT, nullptr);
}

}  // namespace

Datum text_datum(std::string_view text) {
    if (is_plain(text))
        return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
    Piece const piece = in_this_encoding(text);
    return PointerGetDatum(cstring_to_text_with_len(piece.data, piece.length));
}

Datum texts_datum(std::optional<record::EntryView::Array> texts) {
    if (!texts) return PointerGetDatum(construct_empty_array(TEXTOID));
    ArrayBuildState* state = initArrayResult(TEXTOID, CurrentMemoryContext, false);
    record::CborItem item;
    for (std::uint64_t i = 0; i < texts->count && texts->elements.next(item); ++i)
        if (item.is_string())
            accumArrayResult(state, text_datum(base::text_of(item.bytes)), false, TEXTOID, CurrentMemoryContext);
    return makeArrayResult(state, CurrentMemoryContext);
}

Datum texts_datum(const std::vector<std::string>& texts) {
    if (texts.empty()) return PointerGetDatum(construct_empty_array(TEXTOID));
    ArrayBuildState* state = initArrayResult(TEXTOID, CurrentMemoryContext, false);
    for (std::size_t i = 0; i < texts.size(); ++i)
        accumArrayResult(state, text_datum(texts[i]), false, TEXTOID, CurrentMemoryContext);
    return makeArrayResult(state, CurrentMemoryContext);
}

Elements elements_of(Datum array, Oid type) {
    bool const is_text = type == TEXTOID;
    Elements found = {};
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(array), type, is_text ? -1 : static_cast<int>(sizeof(std::int64_t)),
                      is_text ? false : FLOAT8PASSBYVAL, is_text ? TYPALIGN_INT : TYPALIGN_DOUBLE, &found.values,
                      &nulls, &count);
    for (int i = 0; i < count; ++i)
        if (!nulls[i]) found.values[found.count++] = found.values[i];
    return found;
}

Datum time_datum(std::uint64_t nanoseconds) {
    return TimestampTzGetDatum(static_cast<std::int64_t>(nanoseconds / 1000) - kEpochMicroseconds);
}

Datum interval_datum(std::uint64_t nanoseconds) {
    auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
    interval->time = static_cast<TimeOffset>(nanoseconds / 1000);
    return IntervalPGetDatum(interval);
}

std::uint64_t first_nanosecond(TimestampTz time) noexcept {
    std::int64_t microseconds;
    if (__builtin_add_overflow(time, kEpochMicroseconds, &microseconds)) return UINT64_MAX;
    if (microseconds < 0) return 0;
    std::uint64_t nanoseconds;
    return __builtin_mul_overflow(static_cast<std::uint64_t>(microseconds), std::uint64_t{1000}, &nanoseconds)
               ? UINT64_MAX
               : nanoseconds;
}

std::uint64_t last_nanosecond(TimestampTz time) noexcept {
    if (time < -kEpochMicroseconds) return 0;
    std::uint64_t const first = first_nanosecond(time);
    return first > UINT64_MAX - 999 ? UINT64_MAX : first + 999;
}

Datum parameters_datum(record::EntryView::Array parameters, Oid database) {
    JsonbParseState* state = nullptr;
    record::CborItem item;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    for (std::uint64_t i = 0; i < parameters.count && parameters.elements.next(item); ++i)
        push_parameter(&state, parameters.elements, item.value, database);
    JsonbValue* whole = pushJsonbValue(&state, WJB_END_ARRAY, nullptr);
    return JsonbPGetDatum(JsonbValueToJsonb(whole));
}

}  // namespace hoopguard::sqlapi
