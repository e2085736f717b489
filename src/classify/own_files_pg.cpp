// Paths are compared as the file system resolves them, so that no link and no dots lead astray.
#include "classify/own_files_pg.hpp"

#include "classify/functions_pg.hpp"
#include "classify/plan_walk_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/settings.hpp"

#include <cstdlib>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

using Path = char[MAXPGPATH];

void make_absolute(const char* path, Path& to) noexcept {
    if (is_absolute_path(path))
        strlcpy(to, path, sizeof(Path));
    else
        (void)pg_snprintf(to, sizeof(Path), "%s/%s", DataDir, path);
    canonicalize_path(to);
}

// The longest part of the path that exists, resolved, with the rest behind it.
void resolve(const char* path, Path& to) noexcept {
    Path head;
    make_absolute(path, head);
    Path tail = "";
    char real[PATH_MAX];
    while (realpath(head, real) == nullptr) {
        char* const slash = strrchr(head, '/');
        if (slash == nullptr || slash == head) {
            strlcpy(real, "", sizeof real);
            break;
        }
        Path rest;
        (void)pg_snprintf(rest, sizeof rest, "%s%s", slash, tail);
        strlcpy(tail, rest, sizeof tail);
        *slash = '\0';
    }
    (void)pg_snprintf(to, sizeof(Path), "%s%s", real, tail);
    canonicalize_path(to);
}

bool lies_in(const Path& path, const char* directory) noexcept {
    if (directory == nullptr || *directory == '\0') return false;
    Path own;
    resolve(directory, own);
    auto const length = strlen(own);
    return strncmp(path, own, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool takes_text(Oid function) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return true;
    auto const& types = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proargtypes;
    bool found = false;
    for (int i = 0; i < types.dim1; ++i) found = found || types.values[i] == TEXTOID;
    ReleaseSysCache(tuple);
    return found;
}

bool is_constant_elsewhere(const FuncExpr* call) {
    auto* const argument = static_cast<Node*>(linitial(call->args));
    if (!IsA(argument, Const)) return false;
    auto const* const value = castNode(Const, argument);
    return value->constisnull || !is_own_file(TextDatumGetCString(value->constvalue));
}

}  // namespace

bool is_own_file(const char* path) noexcept {
    Path resolved;
    resolve(path, resolved);
    return lies_in(resolved, pg::settings.journal_directory) || lies_in(resolved, pg::settings.key_directory);
}

bool opens_files(Oid function) {
    return effect_of_function(function).classes.has(policy::StatementClass::kEgress) &&
           pg::call([function] { return takes_text(function); });
}

FileCalls file_calls(const PlannedStmt* plan) {
    PlanFacts facts;
    gather(plan, facts);
    int calls = 0;
    int harmless = 0;
    ListCell* cell;
    // What its caller may not call, PostgreSQL refuses in its own words.
    foreach (cell, facts.functions)
        calls += opens_files(lfirst_oid(cell)) && pg::may_execute(lfirst_oid(cell)) ? 1 : 0;
    if (calls == 0) return FileCalls::kNone;
    List* seen = NIL;
    foreach (cell, facts.setting_calls) {
        auto const* const call = static_cast<FuncExpr*>(lfirst(cell));
        if (!opens_files(call->funcid) || !pg::may_execute(call->funcid)) continue;
        if (!is_constant_elsewhere(call)) return FileCalls::kUnknownOrOwn;
        if (list_member_oid(seen, call->funcid)) continue;
        seen = lappend_oid(seen, call->funcid);
        ++harmless;
    }
    // One that takes its path elsewhere than first is not looked into.
    return harmless == calls ? FileCalls::kElsewhere : FileCalls::kUnknownOrOwn;
}

}  // namespace hoopguard::classify
