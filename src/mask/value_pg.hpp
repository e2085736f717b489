// Masking one value at run time: text by the kernels, other types by their constant.
// May raise PostgreSQL errors; holds no C++ objects: call it from PostgreSQL's side only.
#pragma once

#include "mask/text_kernel.hpp"
#include "pg/prelude.hpp"

namespace hoopguard::mask {

// How values of one type are masked, worked out once per call site.
struct ValueMask {
    bool text;
    bool null;  // the type has no constant, or the method gives null
    Datum constant;
    CharacterStep step;
};

// `context` owns what the mask holds.
ValueMask value_mask(Oid type, const MaskSpec& spec, MemoryContext context);

// The masked form of a value that is not null, in the current memory context; sets *is_null when there is none.
Datum mask_value(const ValueMask& mask, const MaskSpec& spec, Datum value, bool* is_null);

// The step that fits this database's encoding.
CharacterStep database_step() noexcept;

}  // namespace hoopguard::mask
