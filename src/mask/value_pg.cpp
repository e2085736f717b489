// Values at run time. What cannot be masked becomes null: never an error, never the value.
#include "mask/value_pg.hpp"

#include "mask/in_force_pg.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

namespace {

std::size_t encoded_step(const char* at, const char* end) noexcept {
    int const length = pg_encoding_mblen(GetDatabaseEncoding(), at);
    return length < 1 || length > end - at ? 1 : static_cast<std::size_t>(length);
}

Datum mask_varlena(const MaskSpec& spec, CharacterStep step, Datum value) {
    text* source = DatumGetTextPP(value);
    std::size_t const size = VARSIZE_ANY_EXHDR(source);
    auto* masked = static_cast<text*>(palloc(VARHDRSZ + room_for(spec, size)));
    std::size_t const length = mask_text(spec, step, {VARDATA_ANY(source), size}, VARDATA(masked));
    SET_VARSIZE(masked, VARHDRSZ + length);
    if (reinterpret_cast<Pointer>(source) != DatumGetPointer(value)) pfree(source);
    return PointerGetDatum(masked);
}

}  // namespace

CharacterStep database_step() noexcept {
    int const encoding = GetDatabaseEncoding();
    if (encoding == PG_UTF8) return utf8_step;
    return pg_encoding_max_length(encoding) == 1 ? byte_step : encoded_step;
}

ValueMask value_mask(Oid type, const MaskSpec& spec, MemoryContext context) {
    ValueMask mask = {};
    TypeFamily const family = family_of(type);
    mask.step = database_step();
    mask.text = family == TypeFamily::kText;
    mask.null = fitting(spec.method, family).kind == MethodKind::kNull;
    if (mask.text || mask.null || spec.method.kind == MethodKind::kClear) return mask;
    Oid input, element;
    getTypeInputInfo(getBaseType(type), &input, &element);
    char* form = pstrdup(redacted_form(type));
    MemoryContext const before = MemoryContextSwitchTo(context);
    mask.constant = OidInputFunctionCall(input, form, element, -1);
    MemoryContextSwitchTo(before);
    return mask;
}

Datum mask_value(const ValueMask& mask, const MaskSpec& spec, Datum value, bool* is_null) {
    *is_null = mask.null;
    if (spec.method.kind == MethodKind::kClear) return value;
    if (mask.null) return 0;
    return mask.text ? mask_varlena(spec, mask.step, value) : mask.constant;
}

}  // namespace hoopguard::mask
