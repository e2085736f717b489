// The functions that masks call while a query runs: hoopguard.mask, mask_row, mask_statistic, and the type of
// their last argument, which no input makes. They run once a value, in PostgreSQL's world alone: what they call of
// C++ throws nothing and owns nothing.
#include "mask/in_force_pg.hpp"
#include "mask/value_pg.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_statistic_ext.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace {

using hoopguard::mask::MaskSpec;
using hoopguard::mask::ValueMask;

MaskSpec spec_of(Datum word) {
    return hoopguard::mask::unpack(static_cast<std::uint64_t>(word));
}

// What mask_row knows of the rows of one call site.
struct RowMask {
    Oid type;
    int32 typmod;
    int count;
    ValueMask* values;
    Datum* columns;
    bool* nulls;
};

RowMask* row_mask(FmgrInfo* function, TupleDesc row, const HeapTupleHeader tuple, ArrayType* array) {
    auto* known = static_cast<RowMask*>(function->fn_extra);
    Oid const type = HeapTupleHeaderGetTypeId(tuple);
    int32 const typmod = HeapTupleHeaderGetTypMod(tuple);
    if (known != nullptr && known->type == type && known->typmod == typmod && known->count == row->natts)
        return known;
    MemoryContext const before = MemoryContextSwitchTo(function->fn_mcxt);
    auto const count = static_cast<std::size_t>(row->natts);
    auto* made = static_cast<RowMask*>(palloc0(sizeof(RowMask)));
    *made = {type,
             typmod,
             row->natts,
             static_cast<ValueMask*>(palloc0(sizeof(ValueMask) * count)),
             static_cast<Datum*>(palloc0(sizeof(Datum) * count)),
             static_cast<bool*>(palloc0(sizeof(bool) * count))};
    Datum* words;
    int given;
    deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(std::uint64_t), true, TYPALIGN_DOUBLE, &words, nullptr,
                      &given);
    for (int i = 0; i < row->natts; ++i) {
        // A column that the mask was not made for was added since: hide it.
        MaskSpec const spec = i < given ? spec_of(words[i]) : MaskSpec{{hoopguard::mask::MethodKind::kNull}};
        made->values[i] = hoopguard::mask::value_mask(TupleDescAttr(row, i)->atttypid, spec, function->fn_mcxt);
    }
    MemoryContextSwitchTo(before);
    function->fn_extra = made;
    return made;
}

bool is_hidden(Oid relation, AttrNumber column) {
    auto const* masked = hoopguard::mask::masked_columns(relation);
    return masked != nullptr && (column == 0 || masked->find(column) != nullptr);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(hoopguard_mask);
PG_FUNCTION_INFO_V1(hoopguard_mask_row);
PG_FUNCTION_INFO_V1(hoopguard_mask_statistic);
PG_FUNCTION_INFO_V1(hoopguard_mask_spec_in);
PGDLLEXPORT Datum hoopguard_mask(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum hoopguard_mask_row(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum hoopguard_mask_statistic(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum hoopguard_mask_spec_in(PG_FUNCTION_ARGS);

Datum hoopguard_mask(PG_FUNCTION_ARGS) {
    auto* mask = static_cast<ValueMask*>(fcinfo->flinfo->fn_extra);
    if (mask == nullptr) {
        MaskSpec const spec = spec_of(PG_GETARG_DATUM(1));
        Oid const type = get_fn_expr_argtype(fcinfo->flinfo, 0);
        ValueMask const made = hoopguard::mask::value_mask(type, spec, fcinfo->flinfo->fn_mcxt);
        mask = static_cast<ValueMask*>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(ValueMask)));
        *mask = made;
        fcinfo->flinfo->fn_extra = mask;
    }
    return hoopguard::mask::mask_value(*mask, PG_GETARG_DATUM(0), &fcinfo->isnull);
}

Datum hoopguard_mask_row(PG_FUNCTION_ARGS) {
    HeapTupleHeader const tuple = PG_GETARG_HEAPTUPLEHEADER(0);
    TupleDesc const row = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(tuple), HeapTupleHeaderGetTypMod(tuple));
    RowMask* const mask = row_mask(fcinfo->flinfo, row, tuple, PG_GETARG_ARRAYTYPE_P(1));
    HeapTupleData source = {};
    source.t_len = HeapTupleHeaderGetDatumLength(tuple);
    ItemPointerSetInvalid(&source.t_self);
    source.t_data = tuple;
    heap_deform_tuple(&source, row, mask->columns, mask->nulls);
    for (int i = 0; i < row->natts; ++i)
        if (!mask->nulls[i])
            mask->columns[i] = hoopguard::mask::mask_value(mask->values[i], mask->columns[i], &mask->nulls[i]);
    HeapTuple const masked = heap_form_tuple(row, mask->columns, mask->nulls);
    ReleaseTupleDesc(row);
    PG_RETURN_DATUM(HeapTupleGetDatum(masked));
}

// mask_statistic(values, owner, column, …): column 0 says that `owner` is an extended statistics object.
Datum hoopguard_mask_statistic(PG_FUNCTION_ARGS) {
    Oid relation = PG_GETARG_OID(1);
    AttrNumber const column = PG_GETARG_INT16(2);
    if (column == 0) {
        HeapTuple const tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(relation));
        if (!HeapTupleIsValid(tuple)) PG_RETURN_NULL();
        relation = reinterpret_cast<Form_pg_statistic_ext>(GETSTRUCT(tuple))->stxrelid;
        ReleaseSysCache(tuple);
    }
    if (is_hidden(relation, column)) PG_RETURN_NULL();
    PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

Datum hoopguard_mask_spec_in(PG_FUNCTION_ARGS) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("values of type hoopguard.mask_spec cannot be given"),
             errhint("hoopguard itself puts masks into queries that read classified columns.")));
    PG_RETURN_NULL();
}

}  // extern "C"

// How EXPLAIN shows a mask.
HOOPGUARD_SQL_FUNCTION(hoopguard_mask_spec_out) {
    auto const text = hoopguard::mask::to_text(spec_of(PG_GETARG_DATUM(0)).method);
    const char* const spelled = text.c_str();
    return hoopguard::pg::call([spelled] { return CStringGetDatum(pstrdup(spelled)); });
}
