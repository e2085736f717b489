// PostgreSQL's types by what methods can do with their values.
#include "mask/in_force_pg.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::mask {

// Types of fixed OIDs need no look at the catalog: none is a domain. A node of a plan asks each time that it
// begins.
Oid base_of(Oid type) {
    return type < FirstGenbkiObjectId ? type : getBaseType(type);
}

Oid element_of(Oid base) {
    bool const known = base == TEXTOID || base == VARCHAROID || base == BPCHAROID;
    return known ? InvalidOid : get_element_type(base);
}

TypeFamily family_of(Oid type) {
    Oid const base = base_of(type);
    switch (base) {
        case INT2OID:
        case INT4OID:
        case INT8OID: return TypeFamily::kInteger;
        case NUMERICOID: return TypeFamily::kNumeric;
        case FLOAT4OID:
        case FLOAT8OID: return TypeFamily::kFloat;
        case DATEOID: return TypeFamily::kDate;
        case TIMESTAMPOID:
        case TIMESTAMPTZOID: return TypeFamily::kTimestamp;
        case UUIDOID: return TypeFamily::kUuid;
        case BYTEAOID: return TypeFamily::kBytes;
        case JSONOID:
        case JSONBOID: return TypeFamily::kJson;
        case INETOID:
        case CIDROID: return TypeFamily::kAddress;
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID: return TypeFamily::kText;
        default: break;
    }
    if (Oid const element = element_of(base); OidIsValid(element)) {
        TypeFamily const family = family_of(element);
        return family == TypeFamily::kOther ? TypeFamily::kConstant : family;
    }
    if (IsBinaryCoercible(base, TEXTOID)) return TypeFamily::kText;
    return redacted_form(type) != nullptr ? TypeFamily::kConstant : TypeFamily::kOther;
}

const char* redacted_form(Oid type) {
    Oid const base = base_of(type);
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
        case MACADDROID: return "00:00:00:00:00:00";
        case MACADDR8OID: return "00:00:00:00:00:00:00:00";
        case MONEYOID: return "0";
        default: return OidIsValid(get_element_type(base)) ? "{}" : nullptr;
    }
}

}  // namespace hoopguard::mask
