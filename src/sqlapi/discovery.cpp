// hoopguard.judge_column: the content detector's judgement of a column, for discover().
#include "detect/judge.hpp"
#include "pg/boundary.hpp"
#include "sqlapi/datums.hpp"

#include <vector>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace {

using hoopguard::detect::Family;

Family family_of(Oid type) {
    Oid const element = get_element_type(type);
    type = getBaseType(OidIsValid(element) ? element : type);
    switch (type) {
        case JSONOID:
        case JSONBOID: return Family::kJson;
        case DATEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID: return Family::kDate;
        case INT4OID:
        case INT8OID:
        case NUMERICOID: return Family::kNumber;
        case INETOID:
        case CIDROID: return Family::kAddress;
        default: break;
    }
    char category;
    bool preferred;
    get_type_category_preferred(type, &category, &preferred);
    if (category != TYPCATEGORY_STRING) return Family::kOther;
    // The text form of an array is many values in one.
    return OidIsValid(element) ? Family::kJson : Family::kText;
}

struct Sample {
    Datum* values;
    bool* nulls;
    int count;
};

Sample sample_of(FunctionCallInfo fcinfo) {
    Sample sample = {};
    if (PG_ARGISNULL(2)) return sample;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &sample.values, &sample.nulls,
                      &sample.count);
    for (int i = 0; i < sample.count; ++i)
        if (!sample.nulls[i]) sample.values[i] = PointerGetDatum(DatumGetTextPP(sample.values[i]));
    return sample;
}

std::string_view view_of(Datum value) {
    auto* const text = DatumGetPointer(value);
    return {VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)};
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_judge_column) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
    Datum const name = hoopguard::pg::call([=] { return PointerGetDatum(PG_GETARG_TEXT_PP(0)); });
    Family const family = hoopguard::pg::call([=] { return family_of(PG_GETARG_OID(1)); });
    Sample const sample = hoopguard::pg::call([=] { return sample_of(fcinfo); });
    std::vector<std::string_view> values;
    for (int i = 0; i < sample.count; ++i)
        if (!sample.nulls[i]) values.push_back(view_of(sample.values[i]));
    auto const judged =
        hoopguard::detect::judge_column(hoopguard::detect::Detector::of_process(), view_of(name), family, values);
    bool const none = judged.data_class.empty();
    return hoopguard::pg::call([&]() -> Datum {
        TupleDesc row;
        if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE) elog(ERROR, "a row was expected");
        Datum columns[] = {none ? 0 : hoopguard::sqlapi::text_datum(judged.data_class),
                           Float4GetDatum(judged.score),
                           none ? 0 : hoopguard::sqlapi::text_datum(judged.evidence)};
        bool nulls[] = {none, none, none};
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), columns, nulls));
    });
}
