// hash gives a whole number of up to 15 digits, fpe other digits in the same places, generalize and noise what
// they give whole numbers. None exceeds the type's precision.
#include "mask/number_value_pg.hpp"

#include "mask/keyed_text.hpp"
#include "mask/value_kernel.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
}

namespace hoopguard::mask {

namespace {

constexpr std::uint32_t kMostHashDigits = 15;

std::string_view text_of(Datum numeric) {
    return DatumGetCString(DirectFunctionCall1(numeric_out, numeric));
}

Datum numeric_of(std::int64_t number) {
    return NumericGetDatum(int64_to_numeric(number));
}

std::uint64_t word_of(const ValueMask& mask, Use use, Datum value) {
    std::string_view const text = text_of(value);
    return base::get_u64(mask.keys->sum(use, base::bytes_of(text)).data());
}

Datum hash(const ValueMask& mask, Datum value) {
    std::uint32_t const most = mask.spec.most_characters;
    std::uint32_t const digits = most == 0 || most > kMostHashDigits ? kMostHashDigits : most;
    std::uint64_t limit = 1;
    for (std::uint32_t i = 0; i < digits; ++i) limit *= 10;
    return numeric_of(static_cast<std::int64_t>(word_of(mask, Use::kHash, value) % limit));
}

Datum encrypt(const ValueMask& mask, Datum value) {
    char* const text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
    encrypt_digits(*mask.keys, {text, strlen(text)});
    return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

Datum generalize(const ValueMask& mask, Datum value) {
    Datum const step = numeric_of(mask.spec.method.amount);
    Datum const steps = DirectFunctionCall1(numeric_floor, DirectFunctionCall2(numeric_div, value, step));
    return DirectFunctionCall2(numeric_mul, steps, step);
}

Datum move(const ValueMask& mask, Datum value) {
    double const ratio = mask.spec.method.amount / 1e6 * mask.keys->shift(word_of(mask, Use::kNoise, value));
    Datum const factor = DirectFunctionCall1(float8_numeric, Float8GetDatum(1 + ratio));
    return DirectFunctionCall2(numeric_mul, value, factor);
}

// Keeps a result below the precision of the type.
Datum fit(const ValueMask& mask, Datum value) {
    constexpr std::uint32_t kMostDigits = 18;
    std::uint32_t const most = mask.spec.most_characters;
    if (most == 0 || most > kMostDigits) return value;
    std::int64_t limit = 1;
    for (std::uint32_t i = 0; i < most; ++i) limit *= 10;
    Datum const magnitude = DirectFunctionCall1(numeric_abs, value);
    if (!DatumGetBool(DirectFunctionCall2(numeric_ge, magnitude, numeric_of(limit)))) return value;
    bool const negative = DatumGetBool(DirectFunctionCall2(numeric_lt, value, numeric_of(0)));
    return numeric_of(negative ? 1 - limit : limit - 1);
}

}  // namespace

Datum mask_numeric(const ValueMask& mask, Datum value) {
    Numeric const number = DatumGetNumeric(value);
    if (numeric_is_nan(number) || numeric_is_inf(number)) return mask.value;
    // Equal numbers give equal masks, however many zeros they are written with; the zeros come back in the end.
    Datum const scale = DirectFunctionCall1(numeric_scale, NumericGetDatum(number));
    value = DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number));
    switch (mask.spec.method.kind) {
        case MethodKind::kHash: return hash(mask, value);
        case MethodKind::kFpe: return fit(mask, DirectFunctionCall2(numeric_round, encrypt(mask, value), scale));
        case MethodKind::kGeneralize: return fit(mask, generalize(mask, value));
        case MethodKind::kNoise:
            return fit(mask, DirectFunctionCall2(numeric_round, move(mask, value),
                                                 DirectFunctionCall1(numeric_scale, value)));
        default: return mask.value;
    }
}

}  // namespace hoopguard::mask
