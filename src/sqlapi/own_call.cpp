// By the text that the client sent.
#include "sqlapi/own_call.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "parser/parser.h"
#include "tcop/tcopprot.h"
}

namespace hoopguard::sqlapi {

namespace {

bool is_call_of(Node* node, void* name) {
    if (node == nullptr) return false;
    if (IsA(node, FuncCall)) {
        auto* const last = static_cast<Node*>(llast(reinterpret_cast<FuncCall*>(node)->funcname));
        if (strcmp(strVal(last), static_cast<const char*>(name)) == 0) return true;
    }
    return pg::walk_raw(node, is_call_of, name);
}

// Only these have expressions that raw trees can be searched in.
bool may_call(const Node* statement) {
    return IsA(statement, SelectStmt) || IsA(statement, InsertStmt) || IsA(statement, UpdateStmt) ||
           IsA(statement, DeleteStmt);
}

}  // namespace

void require_own_call(const char* name) {
    bool const own = pg::call([name] {
        if (debug_query_string == nullptr) return false;
        ListCell* cell;
        foreach (cell, raw_parser(debug_query_string, RAW_PARSE_DEFAULT)) {
            auto* const statement = static_cast<RawStmt*>(lfirst(cell))->stmt;
            if (may_call(statement) && is_call_of(statement, const_cast<char*>(name))) return true;
        }
        return false;
    });
    if (own) return;
    throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
                      pg::format("hoopguard.%s() was not called by the client itself", name),
                      "It was called by a view, a function or a trigger, or within DO or EXECUTE.",
                      pg::format("Send SELECT hoopguard.%s(...) as a statement of its own.", name));
}

}  // namespace hoopguard::sqlapi
