// Functions are found in the analysed tree, before planning inlines or folds them.
#include "sqlapi/unforeseen.hpp"

#include "pg/boundary.hpp"
#include "pg/tree.hpp"

#include <algorithm>

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace hoopguard::sqlapi {

namespace {

bool runs_statements(Oid function) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return false;
    Oid const language = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang;
    ReleaseSysCache(tuple);
    return language != INTERNALlanguageId && language != ClanguageId;
}

bool note_function(Oid function, void* found) {
    auto** const list = static_cast<List**>(found);
    if (function >= FirstUnpinnedObjectId && runs_statements(function))
        *list = list_append_unique_oid(*list, function);
    return false;
}

bool find_functions(Node* node, void* found) {
    if (node == nullptr) return false;
    if (IsA(node, Query)) return pg::walk_query(castNode(Query, node), find_functions, found, 0);
    check_functions_in_node(node, note_function, found);
    return pg::walk_expression(node, find_functions, found);
}

List* functions_in(Query* query) {
    List* found = NIL;
    if (query->commandType != CMD_UTILITY) {
        find_functions(reinterpret_cast<Node*>(query), &found);
    } else if (IsA(query->utilityStmt, CallStmt)) {
        find_functions(reinterpret_cast<Node*>(castNode(CallStmt, query->utilityStmt)->funcexpr), &found);
    }
    return found;
}

const char* whole_of(const Query* query) {
    if (query->commandType != CMD_UTILITY) return nullptr;
    switch (nodeTag(query->utilityStmt)) {
        case T_DoStmt: return "the DO block";
        case T_RefreshMatViewStmt: return "the query of the materialized view";
        default: return nullptr;
    }
}

void add(std::vector<std::string>& out, const char* what) {
    if (std::ranges::find(out, what) == out.end()) out.emplace_back(what);
}

}  // namespace

void find_unforeseen(Query* query, std::vector<std::string>& out) {
    if (auto const* const whole = whole_of(query)) add(out, whole);
    auto* const functions = pg::call([query] { return functions_in(query); });
    for (int i = 0; i < list_length(functions); ++i) {
        Oid const function = list_nth_oid(functions, i);
        add(out, pg::call([function] { return psprintf("function %s", format_procedure_qualified(function)); }));
    }
}

}  // namespace hoopguard::sqlapi
