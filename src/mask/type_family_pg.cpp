// PostgreSQL's types by what methods can do with their values.
#include "mask/in_force_pg.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

TypeFamily family_of(Oid type) {
    Oid const base = getBaseType(type);
    if (base == BPCHAROID || IsBinaryCoercible(base, TEXTOID)) return TypeFamily::kText;
    return redacted_form(type) != nullptr ? TypeFamily::kConstant : TypeFamily::kOther;
}

const char* redacted_form(Oid type) {
    Oid const base = getBaseType(type);
    switch (base) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case FLOAT4OID:
        case FLOAT8OID:
        case NUMERICOID: return "0";
        case BOOLOID: return "false";
        case DATEOID:
        case TIMESTAMPOID: return "1970-01-01";
        case TIMESTAMPTZOID: return "1970-01-01 00:00+00";
        case TIMEOID:
        case TIMETZOID: return "00:00";
        case INTERVALOID: return "0";
        case UUIDOID: return "00000000-0000-0000-0000-000000000000";
        case BYTEAOID: return "";
        case JSONOID:
        case JSONBOID: return "null";
        case INETOID:
        case CIDROID: return "0.0.0.0";
        default: return OidIsValid(get_element_type(base)) ? "{}" : nullptr;
    }
}

}  // namespace hoopguard::mask
