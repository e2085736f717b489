// Masking one value at run time.
// May raise PostgreSQL errors; holds no C++ objects: call it from PostgreSQL's side only.
#pragma once

#include "mask/keys.hpp"
#include "mask/text_kernel.hpp"
#include "pg/prelude.hpp"

namespace hoopguard::mask {

// How values of one type are masked, worked out once per call site.
struct ValueMask {
    MaskSpec spec;
    TypeFamily family;
    Oid base;       // the type below domains
    bool constant;  // every value becomes `value`
    bool null;      // every value becomes null
    Datum value;
    CharacterStep step;
    const MaskKeys* keys;      // null: the method needs none
    const ValueMask* element;  // of an array; null: none
    Oid element_type;
    int16 element_length;
    bool element_by_value;
    char element_align;

    // Whether mask_text() alone masks it: no constant, no array, no detector.
    bool plain_text() const noexcept {
        return family == TypeFamily::kText && !constant && !null && element == nullptr &&
               spec.method.kind != MethodKind::kDetect && spec.method.kind != MethodKind::kClear;
    }
};

// `context` owns what the mask holds.
ValueMask value_mask(Oid type, const MaskSpec& spec, MemoryContext context);

// The masked form of a value that is not null, in the current memory context; sets *is_null when there is none.
Datum mask_value(const ValueMask& mask, Datum value, bool* is_null);

// The step that fits this database's encoding; `bounded`: it counts what a type's length allows.
CharacterStep database_step(bool bounded) noexcept;

}  // namespace hoopguard::mask
