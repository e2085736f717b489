// The privileges that a utility statement needs, by what it does to the objects it names. Roles and databases are
// made and changed by attributes of roles, not by privileges on objects: nothing is said of them.
#include "classify/calls_pg.hpp"
#include "classify/functions_pg.hpp"
#include "classify/names_pg.hpp"
#include "classify/plan_pg.hpp"
#include "classify/utility_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/tree.hpp"

extern "C" {
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "storage/lockdefs.h"
}

namespace hoopguard::classify {

namespace {

using enum StatementClass;

constexpr ClassSet kNotByPrivileges = ClassSet(kRole) | kDatabase;
constexpr ClassSet kByOwners = ClassSet(kDdlAlter) | kDdlDrop | kDdlBlocking | kGrant | kMaintenance;

// What goes by the name of its table.
bool is_part(std::string_view kind, bool is_new) {
    for (auto const part : {"column", "trigger", "rule", "policy", "default", "constraint"})
        if (kind == part) return true;
    return is_new && kind == "index";
}

std::uint16_t privileges_for_new(std::string_view kind) {
    if (kind == "trigger") return kTrigger;
    if (is_part(kind, true)) return kOwnership;
    // By superusers alone, or by a privilege on something else.
    for (auto const other : {"language", "foreign_data_wrapper", "server", "user_mapping", "event_trigger",
                             "access_method", "subscription", "cast", "transform"})
        if (kind == other) return 0;
    return kCreate;
}

std::uint16_t privileges_for(const ObjectName& object) {
    if (object.classes.meets(kNotByPrivileges)) return 0;
    if (object.classes.has(kWriteTruncate)) return kTruncate;
    if (object.classes.has(kWriteInsert)) return kInsert;
    if (object.classes.has(kRead)) return kSelect;
    if (object.classes.has(kDdlCreate)) return privileges_for_new(object.kind);
    if (object.classes.meets(kByOwners)) return kOwnership;
    return 0;
}

std::uint16_t privileges_to_lock(int mode) {
    return mode == AccessShareLock ? kSelect : kUpdate;
}

void add_to(ObjectName& object, std::uint16_t privileges, FootprintBuilder& out) {
    auto const kind =
        is_part(object.kind, object.classes.has(kDdlCreate)) ? std::string_view("table") : object.kind;
    auto const need = Need::on(kind, privileges);
    bool const has_schema = lives_in_schema(kind);
    if (!has_schema || object.name.find('.') != std::string::npos) {
        object.need = need;
        return;
    }
    // As it was written, without a schema.
    auto const schema = privileges == kCreate ? creation_schema() : std::string();
    out.need_further(quoted(schema.empty() ? object.name : schema + "." + object.name, !schema.empty()), need);
}

void add_functions(List* functions, FootprintBuilder& out) {
    for (int i = 0; i < list_length(functions); ++i) {
        Oid const function = list_nth_oid(functions, i);
        auto const effect = effect_of_function(function);
        if (effect.asks)
            out.need_further(name_of_function(function), Need::on(kind_of_function(effect.kind), kExecute));
    }
}

void add_call(const CallStmt& call, FootprintBuilder& out) {
    if (call.funcexpr == nullptr) return;
    add_functions(pg::call([&call] {
                      return calls_of(pg::as_node(call.funcexpr->args), list_make1_oid(call.funcexpr->funcid));
                  }),
                  out);
}

// EXPLAIN asks for what its statement needs, although nothing runs.
void add_explained(const ExplainStmt& explain, FootprintBuilder& out) {
    if (explain.query == nullptr || !IsA(explain.query, Query)) return;
    auto* const query = reinterpret_cast<Query*>(explain.query);
    List* const needs = pg::call([query] { return needs_of(query); });
    for (int i = 0; i < list_length(needs); ++i) {
        auto const& need = *static_cast<const QueryNeed*>(list_nth(needs, i));
        auto const privileges = privileges_of(need.required);
        if (privileges == 0) continue;
        auto const kind = name_of_relation(need.relation).kind;
        out.need_further(quoted_relation(need.relation), Need::on(kind, privileges));
    }
    add_functions(pg::call([query] { return calls_of(pg::as_node(query), NIL); }), out);
}

void add_language(const DoStmt& code, FootprintBuilder& out) {
    const char* language = "plpgsql";
    for (int i = 0; i < list_length(code.args); ++i) {
        auto* const option = static_cast<DefElem*>(list_nth(code.args, i));
        if (strcmp(option->defname, "language") == 0)
            language = pg::call([option] { return defGetString(option); });
    }
    out.need_further(quoted(language, false), Need::on("language", kUsage));
}

}  // namespace

void add_utility_needs(Node* statement, FootprintBuilder& out) {
    switch (nodeTag(statement)) {
        case T_CallStmt: return add_call(*reinterpret_cast<const CallStmt*>(statement), out);
        case T_ExplainStmt: return add_explained(*reinterpret_cast<const ExplainStmt*>(statement), out);
        case T_DoStmt: return add_language(*reinterpret_cast<const DoStmt*>(statement), out);
        default: break;
    }
    for (auto& object : out.footprint().objects) {
        auto privileges = privileges_for(object);
        if (IsA(statement, LockStmt))
            privileges = privileges_to_lock(reinterpret_cast<const LockStmt*>(statement)->mode);
        if (privileges != 0 && !object.name.empty()) add_to(object, privileges, out);
    }
}

}  // namespace hoopguard::classify
