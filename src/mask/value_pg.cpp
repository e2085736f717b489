// Values by the family of their type. What cannot be masked becomes the type's constant or null: never an error,
// never the value.
#include "mask/value_pg.hpp"

#include "detect/masking.hpp"
#include "mask/in_force_pg.hpp"
#include "mask/number_value_pg.hpp"
#include "mask/secret_pg.hpp"
#include "mask/value_kernel.hpp"

#include <sys/socket.h>

extern "C" {
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

namespace hoopguard::mask {

namespace {

std::size_t encoded_step(const char* at, const char* end) noexcept {
    int const length = pg_encoding_mblen(GetDatabaseEncoding(), at);
    return length < 1 || length > end - at ? 1 : static_cast<std::size_t>(length);
}

Datum mask_varlena(const ValueMask& mask, Datum value) {
    text* source = DatumGetTextPP(value);
    std::size_t const size = VARSIZE_ANY_EXHDR(source);
    auto* masked = static_cast<text*>(palloc(VARHDRSZ + room_for(mask.spec, size)));
    std::size_t const length =
        mask_text(mask.spec, mask.keys, mask.step, {VARDATA_ANY(source), size}, VARDATA(masked));
    SET_VARSIZE(masked, VARHDRSZ + length);
    if (reinterpret_cast<Pointer>(source) != DatumGetPointer(value)) pfree(source);
    return PointerGetDatum(masked);
}

// Whether CHECK_FOR_INTERRUPTS() would end the statement.
bool cancelled() noexcept {
    return InterruptPending && (QueryCancelPending || ProcDiePending) && InterruptHoldoffCount == 0 &&
           QueryCancelHoldoffCount == 0 && CritSectionCount == 0;
}

// Only what is sensitive inside. A value that cannot be looked through is hidden whole.
Datum mask_inside(const ValueMask& mask, Datum value) {
    bool const json = mask.family == TypeFamily::kJson;
    bool const binary = mask.base == JSONBOID;
    text* source =
        binary ? cstring_to_text(DatumGetCString(DirectFunctionCall1(jsonb_out, value))) : DatumGetTextPP(value);
    std::string_view const whole(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source));
    std::size_t const size =
        detect::measure_masked(whole, json ? detect::Content::kJson : detect::Content::kText, cancelled);
    CHECK_FOR_INTERRUPTS();
    std::size_t const padding = mask.spec.padded ? mask.spec.most_characters : 0;
    bool const too_long = size > MaxAllocSize - VARHDRSZ - 1 - padding;
    if (size == detect::kCannot || too_long) return json ? mask.value : CStringGetTextDatum("***");
    if (!detect::anything_found()) return value;
    auto* masked = static_cast<text*>(palloc(VARHDRSZ + size + padding + 1));
    detect::write_masked(whole, VARDATA(masked));
    if (binary) {
        VARDATA(masked)[size] = '\0';
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(VARDATA(masked)));
    }
    SET_VARSIZE(masked, VARHDRSZ + (json ? size : fit_text(mask.spec, mask.step, VARDATA(masked), size)));
    return PointerGetDatum(masked);
}

std::int64_t integer_of(Oid type, Datum value) {
    return type == INT2OID ? DatumGetInt16(value) : type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

Datum mask_integer_datum(const ValueMask& mask, Datum value) {
    unsigned const bits = mask.base == INT2OID ? 16 : mask.base == INT4OID ? 32 : 64;
    std::int64_t const masked = mask_integer(mask.spec.method, mask.keys, integer_of(mask.base, value), bits);
    if (mask.base == INT2OID) return Int16GetDatum(static_cast<int16>(masked));
    return mask.base == INT4OID ? Int32GetDatum(static_cast<int32>(masked)) : Int64GetDatum(masked);
}

Datum mask_real_datum(const ValueMask& mask, Datum value) {
    bool const small = mask.base == FLOAT4OID;
    double const masked = mask_real(mask.spec.method, mask.keys,
                                    small ? static_cast<double>(DatumGetFloat4(value)) : DatumGetFloat8(value));
    return small ? Float4GetDatum(static_cast<float4>(masked)) : Float8GetDatum(masked);
}

// Times that are infinite, or would leave the range of their type, become its constant.
Datum mask_date_datum(const ValueMask& mask, Datum value) {
    DateADT const days = DatumGetDateADT(value);
    if (DATE_NOT_FINITE(days)) return mask.value;
    DateADT const masked = mask_date(mask.spec.method, mask.keys, days);
    return IS_VALID_DATE(masked) ? DateADTGetDatum(masked) : mask.value;
}

Datum mask_time_datum(const ValueMask& mask, Datum value) {
    Timestamp const time = DatumGetTimestamp(value);
    if (TIMESTAMP_NOT_FINITE(time)) return mask.value;
    Timestamp const masked = mask_time(mask.spec.method, mask.keys, time);
    return IS_VALID_TIMESTAMP(masked) ? TimestampGetDatum(masked) : mask.value;
}

Datum mask_uuid_datum(const ValueMask& mask, Datum value) {
    auto* masked = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
    *masked = *DatumGetUUIDP(value);
    mask_uuid(mask.spec.method, *mask.keys, std::span<std::uint8_t, UUID_LEN>(masked->data));
    return UUIDPGetDatum(masked);
}

Datum mask_bytea(const ValueMask& mask, Datum value) {
    bytea* masked = DatumGetByteaPCopy(value);
    mask_bytes(mask.spec.method, *mask.keys,
               {reinterpret_cast<std::uint8_t*>(VARDATA(masked)), VARSIZE(masked) - VARHDRSZ});
    return PointerGetDatum(masked);
}

Datum mask_address(const ValueMask& mask, Datum value) {
    inet* source = DatumGetInetPP(value);
    auto* masked = static_cast<inet*>(palloc(VARHDRSZ + sizeof(inet_struct)));
    std::size_t const size = VARSIZE_ANY_EXHDR(source);
    memcpy(VARDATA(masked), VARDATA_ANY(source), size);
    SET_VARSIZE(masked, VARHDRSZ + size);
    bool const four = ip_family(masked) == PGSQL_AF_INET;
    unsigned const width = four ? 32 : 128;
    std::span<std::uint8_t> const bytes(ip_addr(masked), width / 8);
    if (mask.spec.method.kind == MethodKind::kGeneralize) {
        // An IPv6 network is twice as long as the IPv4 one that it stands for: /24 and /48.
        unsigned const asked = four ? mask.spec.method.amount : mask.spec.method.amount * 2;
        unsigned const kept = std::min(asked, width);
        keep_bits(bytes, kept);
        if (ip_bits(masked) > kept) ip_bits(masked) = static_cast<unsigned char>(kept);
    } else {
        mask_bytes(mask.spec.method, *mask.keys, bytes);
        if (mask.base == CIDROID) keep_bits(bytes, ip_bits(masked));
    }
    return InetPGetDatum(masked);
}

// A string that stands for the whole of it.
Datum mask_json(const ValueMask& mask, Datum value) {
    bool const binary = mask.base == JSONBOID;
    text* source =
        binary ? cstring_to_text(DatumGetCString(DirectFunctionCall1(jsonb_out, value))) : DatumGetTextPP(value);
    char token[64];
    char* end = token;
    *end++ = '"';
    MaskSpec const spec = {mask.spec.method};
    end += mask_text(spec, mask.keys, mask.step,
                     {VARDATA_ANY(source), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(source))}, end);
    *end++ = '"';
    *end = '\0';
    return binary ? DirectFunctionCall1(jsonb_in, CStringGetDatum(token)) : CStringGetTextDatum(token);
}

Datum mask_array(const ValueMask& mask, Datum value) {
    ArrayType* source = DatumGetArrayTypeP(value);
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(source, mask.element_type, mask.element_length, mask.element_by_value, mask.element_align,
                      &elements, &nulls, &count);
    for (int i = 0; i < count; ++i)
        if (!nulls[i]) elements[i] = mask_value(*mask.element, elements[i], &nulls[i]);
    if (count == 0) return PointerGetDatum(construct_empty_array(mask.element_type));
    return PointerGetDatum(construct_md_array(elements, nulls, ARR_NDIM(source), ARR_DIMS(source),
                                              ARR_LBOUND(source), mask.element_type, mask.element_length,
                                              mask.element_by_value, mask.element_align));
}

Datum redacted_text(const ValueMask& mask, MemoryContext context) {
    auto* masked = static_cast<text*>(MemoryContextAlloc(context, VARHDRSZ + room_for(mask.spec, 0)));
    SET_VARSIZE(masked, VARHDRSZ + mask_text(mask.spec, nullptr, mask.step, {}, VARDATA(masked)));
    return PointerGetDatum(masked);
}

Datum constant_of(Oid base, MemoryContext context) {
    const char* const form = redacted_form(base);
    if (form == nullptr) return 0;
    Oid input, element;
    getTypeInputInfo(base, &input, &element);
    char* const text = pstrdup(form);
    MemoryContext const before = MemoryContextSwitchTo(context);
    Datum const constant = OidInputFunctionCall(input, text, element, -1);
    MemoryContextSwitchTo(before);
    return constant;
}

}  // namespace

CharacterStep database_step(bool bounded) noexcept {
    int const encoding = GetDatabaseEncoding();
    // SQL_ASCII holds UTF-8 as a rule, and half a character would be an error to a client that reads UTF-8; but
    // its types count bytes.
    if (encoding == PG_UTF8 || (encoding == PG_SQL_ASCII && !bounded)) return utf8_step;
    return pg_encoding_max_length(encoding) == 1 ? byte_step : encoded_step;
}

ValueMask value_mask(Oid type, const MaskSpec& spec, MemoryContext context) {
    ValueMask mask = {};
    mask.base = base_of(type);
    mask.family = family_of(mask.base);
    mask.spec = spec;
    mask.spec.method = fitting(spec.method, mask.family);
    mask.step = database_step(spec.most_characters != 0);
    MethodKind const kind = mask.spec.method.kind;
    mask.null = kind == MethodKind::kNull;
    if (mask.null || kind == MethodKind::kClear) return mask;
    Oid const element = element_of(mask.base);
    if (mask.family != TypeFamily::kText || OidIsValid(element)) mask.value = constant_of(mask.base, context);
    if (kind == MethodKind::kRedact) {
        // Nothing of the value is looked at: a long one is never fetched.
        if (mask.family == TypeFamily::kText && !OidIsValid(element)) mask.value = redacted_text(mask, context);
        mask.constant = true;
        return mask;
    }
    if (is_keyed(kind)) mask.keys = mask_keys();
    if (!OidIsValid(element)) return mask;
    auto* of_elements = static_cast<ValueMask*>(MemoryContextAlloc(context, sizeof(ValueMask)));
    *of_elements = value_mask(element, spec, context);
    mask.element = of_elements;
    mask.element_type = element;
    get_typlenbyvalalign(element, &mask.element_length, &mask.element_by_value, &mask.element_align);
    return mask;
}

Datum mask_value(const ValueMask& mask, Datum value, bool* is_null) {
    *is_null = mask.null;
    if (mask.null || mask.constant) return mask.value;
    if (mask.spec.method.kind == MethodKind::kClear) return value;
    if (mask.element != nullptr) return mask_array(mask, value);
    if (mask.spec.method.kind == MethodKind::kDetect) return mask_inside(mask, value);
    switch (mask.family) {
        case TypeFamily::kText: return mask_varlena(mask, value);
        case TypeFamily::kInteger: return mask_integer_datum(mask, value);
        case TypeFamily::kNumeric: return mask_numeric(mask, value);
        case TypeFamily::kFloat: return mask_real_datum(mask, value);
        case TypeFamily::kDate: return mask_date_datum(mask, value);
        case TypeFamily::kTimestamp: return mask_time_datum(mask, value);
        case TypeFamily::kUuid: return mask_uuid_datum(mask, value);
        case TypeFamily::kBytes: return mask_bytea(mask, value);
        case TypeFamily::kJson: return mask_json(mask, value);
        case TypeFamily::kAddress: return mask_address(mask, value);
        case TypeFamily::kConstant:
        case TypeFamily::kOther: break;
    }
    *is_null = true;
    return 0;
}

}  // namespace hoopguard::mask
