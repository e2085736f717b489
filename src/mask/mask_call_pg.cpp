// Building FuncExprs of hoopguard.mask, mask_row and mask_statistic.
#include "mask/mask_call_pg.hpp"

#include "pg/tree.hpp"

#include <cstdint>

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext_data.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace hoopguard::mask {

namespace {

static_assert(sizeof(Datum) == 8, "a mask's specification travels in a Datum");

// Plain data per process.
struct Functions {
    bool known;
    Oid spec_type;
    Oid mask;
    Oid mask_row;
    Oid mask_statistic;
};
Functions functions;

void catalog_changed(Datum, int, uint32) noexcept {
    functions.known = false;
}

Oid find_function(Oid schema, const char* name, const Oid* types, int count) {
    return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
                           PointerGetDatum(buildoidvector(types, count)), ObjectIdGetDatum(schema));
}

Node* spec_constant(std::uint64_t spec) {
    return pg::as_node(makeConst(functions.spec_type, -1, InvalidOid, sizeof(std::uint64_t),
                                 static_cast<Datum>(spec), false, true));
}

Node* call_mask(const Var* var, std::uint64_t spec) {
    auto* call = makeFuncExpr(functions.mask, var->vartype, list_make2(pg::copy_tree(var), spec_constant(spec)),
                              var->varcollid, var->varcollid, COERCE_EXPLICIT_CALL);
    if (var->vartypmod < 0) return pg::as_node(call);
    return pg::as_node(makeRelabelType(reinterpret_cast<Expr*>(call), var->vartype, var->vartypmod, var->varcollid,
                                       COERCE_IMPLICIT_CAST));
}

// One specification for each column of the row, `clear` for what may be seen.
Node* row_constant(const MaskedColumns* columns) {
    Relation relation = relation_open(columns->relation, NoLock);
    int const count = RelationGetNumberOfAttributes(relation);
    relation_close(relation, NoLock);
    auto* specs = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(count)));
    for (int i = 0; i < count; ++i) {
        const MaskedColumn* column = columns->find(static_cast<AttrNumber>(i + 1));
        specs[i] = column != nullptr ? static_cast<Datum>(column->spec)
                                     : static_cast<Datum>(pack({{MethodKind::kClear}}));
    }
    ArrayType* array =
        construct_array(specs, count, functions.spec_type, sizeof(std::uint64_t), true, TYPALIGN_DOUBLE);
    return reinterpret_cast<Node*>(
        makeConst(get_array_type(functions.spec_type), -1, InvalidOid, -1, PointerGetDatum(array), false, false));
}

}  // namespace

bool find_mask_functions(bool missing_ok) {
    if (functions.known) return true;
    Functions found = {};
    Oid const schema =
        OidIsValid(get_extension_oid("hoopguard", true)) ? get_namespace_oid("hoopguard", true) : InvalidOid;
    if (OidIsValid(schema)) {
        found.spec_type =
            GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("mask_spec"), ObjectIdGetDatum(schema));
        Oid const array = get_array_type(found.spec_type);
        Oid const mask[] = {ANYELEMENTOID, found.spec_type};
        Oid const row[] = {ANYELEMENTOID, array};
        Oid const statistic[] = {ANYELEMENTOID, OIDOID, INT2OID, found.spec_type};
        found.mask = find_function(schema, "mask", mask, 2);
        found.mask_row = find_function(schema, "mask_row", row, 2);
        found.mask_statistic = find_function(schema, "mask_statistic", statistic, 4);
    }
    found.known = OidIsValid(found.mask) && OidIsValid(found.mask_row) && OidIsValid(found.mask_statistic);
    if (!found.known && !missing_ok)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("a classified column cannot be masked: database \"%s\" lacks the extension hoopguard",
                        get_database_name(MyDatabaseId)),
                 errhint("A superuser can create it there: CREATE EXTENSION hoopguard;")));
    functions = found;
    return found.known;
}

Node* masked_reference(const Var* var, const MaskedColumns* columns) {
    if (var->varattno == 0)
        return pg::as_node(makeFuncExpr(functions.mask_row, var->vartype,
                                        list_make2(pg::copy_tree(var), row_constant(columns)), InvalidOid,
                                        InvalidOid, COERCE_EXPLICIT_CALL));
    const MaskedColumn* column = columns->find(var->varattno);
    return column != nullptr ? call_mask(var, column->spec) : pg::as_node(var);
}

Node* passed_reference(const Var* var) {
    return call_mask(var, pack({{MethodKind::kClear}}));
}

Node* masked_statistic(const Var* var, Oid relation) {
    AttrNumber owner = InvalidAttrNumber;
    AttrNumber column = InvalidAttrNumber;
    if (relation == StatisticRelationId && var->varattno >= Anum_pg_statistic_stavalues1 &&
        var->varattno <= Anum_pg_statistic_stavalues5) {
        owner = Anum_pg_statistic_starelid;
        column = Anum_pg_statistic_staattnum;
    } else if (relation == StatisticExtDataRelationId && (var->varattno == Anum_pg_statistic_ext_data_stxdmcv ||
                                                          var->varattno == Anum_pg_statistic_ext_data_stxdexpr)) {
        owner = Anum_pg_statistic_ext_data_stxoid;
    } else {
        return pg::as_node(var);
    }
    Node* of = pg::as_node(makeVar(var->varno, owner, OIDOID, -1, InvalidOid, var->varlevelsup));
    Node* which = column != InvalidAttrNumber
                      ? pg::as_node(makeVar(var->varno, column, INT2OID, -1, InvalidOid, var->varlevelsup))
                      : pg::as_node(makeConst(INT2OID, -1, InvalidOid, 2, Int16GetDatum(0), false, true));
    return pg::as_node(
        makeFuncExpr(functions.mask_statistic, var->vartype,
                     list_make4(pg::copy_tree(var), of, which, spec_constant(pack({{MethodKind::kNull}}))),
                     var->varcollid, var->varcollid, COERCE_EXPLICIT_CALL));
}

CallKind kind_of(const FuncExpr* call) {
    if (!functions.known) return CallKind::kOther;
    if (call->funcid == functions.mask_row || call->funcid == functions.mask_statistic) return CallKind::kMask;
    if (call->funcid != functions.mask) return CallKind::kOther;
    Node* spec = static_cast<Node*>(lsecond(call->args));
    if (!IsA(spec, Const) || castNode(Const, spec)->constisnull) return CallKind::kOther;
    MaskSpec const meant = unpack(static_cast<std::uint64_t>(castNode(Const, spec)->constvalue));
    return meant.method.kind == MethodKind::kClear ? CallKind::kPass : CallKind::kMask;
}

bool is_value_mask(const FuncExpr* call) {
    return functions.known && call->funcid == functions.mask && kind_of(call) == CallKind::kMask;
}

MaskSpec spec_of(const FuncExpr* mask) {
    return unpack(static_cast<std::uint64_t>(castNode(Const, lsecond(mask->args))->constvalue));
}

void watch_mask_functions() {
    CacheRegisterSyscacheCallback(PROCOID, catalog_changed, 0);
}

}  // namespace hoopguard::mask
