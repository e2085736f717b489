// Names out of catalog caches and parse trees.
#include "classify/names_pg.hpp"

#include "pg/boundary.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>

extern "C" {
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

static bool names_changed = false;

extern "C" {

static void hoopguard_names_changed(Datum, int, uint32) {
    names_changed = true;
}

}  // extern "C"

namespace hoopguard::classify {

namespace {

// What one call inside the wall brings out; the texts are palloc'ed.
struct Found {
    const char* schema = nullptr;
    const char* name = nullptr;
    const char* quoted = nullptr;
    char relkind = 0;
};

std::string joined(const char* schema, const char* name) {
    std::string text(schema == nullptr ? "" : schema);
    if (schema != nullptr) text += '.';
    return text.append(name == nullptr ? "" : name);
}

const char* schema_name(Oid schema) {
    return isTempNamespace(schema) ? "pg_temp" : get_namespace_name(schema);
}

constexpr std::string_view kUnknownKind = "object";

struct KindOfDescription {
    std::string_view description;  // of getObjectTypeDescription()
    std::string_view kind;
};

constexpr KindOfDescription kDescriptions[] = {
    {"table", "table"},
    {"view", "view"},
    {"materialized view", "materialized_view"},
    {"foreign table", "foreign_table"},
    {"index", "index"},
    {"sequence", "sequence"},
    {"composite type", "type"},
    {"type", "type"},
    {"table column", "column"},
    {"view column", "column"},
    {"materialized view column", "column"},
    {"foreign table column", "column"},
    {"composite type column", "column"},
    {"function", "function"},
    {"procedure", "procedure"},
    {"aggregate", "aggregate"},
    {"schema", "schema"},
    {"extension", "extension"},
    {"trigger", "trigger"},
    {"event trigger", "event_trigger"},
    {"rule", "rule"},
    {"policy", "policy"},
    {"default value", "default"},
    {"table constraint", "constraint"},
    {"domain constraint", "constraint"},
    {"role", "role"},
    {"database", "database"},
    {"tablespace", "tablespace"},
    {"foreign-data wrapper", "foreign_data_wrapper"},
    {"server", "server"},
    {"user mapping", "user_mapping"},
    {"publication", "publication"},
    {"subscription", "subscription"},
    {"language", "language"},
    {"cast", "cast"},
    {"collation", "collation"},
    {"conversion", "conversion"},
    {"operator", "operator"},
    {"operator class", "operator_class"},
    {"operator family", "operator_family"},
    {"access method", "access_method"},
    {"large object", "large_object"},
    {"statistics object", "statistics"},
    {"transform", "transform"},
    {"text search parser", "text_search"},
    {"text search dictionary", "text_search"},
    {"text search template", "text_search"},
    {"text search configuration", "text_search"},
};

std::string_view kind_of_description(std::string_view description) {
    for (auto const& line : kDescriptions)
        if (line.description == description) return line.kind;
    return kUnknownKind;
}

// Parts of a table go by the table's name, so that a rule on the table covers them.
bool is_part(std::string_view kind) {
    return kind == "column" || kind == "trigger" || kind == "rule" || kind == "policy" || kind == "default" ||
           kind == "constraint";
}

}  // namespace

std::string_view kind_of_relation(char relkind) noexcept {
    switch (relkind) {
        case RELKIND_VIEW: return "view";
        case RELKIND_MATVIEW: return "materialized_view";
        case RELKIND_FOREIGN_TABLE: return "foreign_table";
        case RELKIND_SEQUENCE: return "sequence";
        case RELKIND_INDEX:
        case RELKIND_PARTITIONED_INDEX: return "index";
        case RELKIND_COMPOSITE_TYPE: return "type";
        default: return "table";
    }
}

namespace {

// Names of relations that were met, as long as no relation and no schema changes. Found in catalog caches they
// would cost a short statement more than all else that is asked about it.
struct KnownRelation {
    NamedObject object;
    std::string quoted;
};
using KnownRelations = std::unordered_map<Oid, KnownRelation>;
constexpr std::size_t kKnownRelations = 1024;

KnownRelations& known_relations() {
    static KnownRelations all;
    static bool listening = false;
    if (!listening) {
        pg::call([] {
            CacheRegisterSyscacheCallback(RELOID, hoopguard_names_changed, Datum{0});
            CacheRegisterSyscacheCallback(NAMESPACEOID, hoopguard_names_changed, Datum{0});
        });
        listening = true;
    }
    if (names_changed || all.size() >= kKnownRelations) all.clear();
    names_changed = false;
    return all;
}

[[gnu::noinline]] KnownRelation look_up_relation(Oid relation) {
    auto const found = pg::call([relation] {
        Found it{schema_name(get_rel_namespace(relation)), get_rel_name(relation), nullptr,
                 get_rel_relkind(relation)};
        if (it.name != nullptr) it.quoted = quote_qualified_identifier(it.schema, it.name);
        return it;
    });
    return {{kind_of_relation(found.relkind), joined(found.schema, found.name)},
            found.quoted == nullptr ? "" : found.quoted};
}

// Valid until the next call.
[[gnu::hot]] const KnownRelation& known_relation(Oid relation) {
    static KnownRelation latest;
    auto& known = known_relations();
    if (auto const found = known.find(relation); found != known.end()) return found->second;
    latest = look_up_relation(relation);
    // Looking up may itself learn of a change, and then it may have been this one's.
    if (!names_changed && !latest.quoted.empty()) known.emplace(relation, latest);
    return latest;
}

}  // namespace

[[gnu::hot]] const NamedObject& name_of_relation(Oid relation) {
    return known_relation(relation).object;
}

std::string quoted_relation(Oid relation) {
    return known_relation(relation).quoted;
}

namespace {

const char* type_name(Oid type) {
    char* const name = format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY);
    constexpr std::string_view kCatalog = "pg_catalog.";
    return std::string_view(name).starts_with(kCatalog) ? name + kCatalog.size() : name;
}

const char* function_identity(Oid function) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return "";
    auto const* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    StringInfoData text;
    initStringInfo(&text);
    appendStringInfo(&text, "%s(",
                     quote_qualified_identifier(get_namespace_name(form->pronamespace), NameStr(form->proname)));
    for (int i = 0; i < form->pronargs; ++i)
        appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", type_name(form->proargtypes.values[i]));
    appendStringInfoChar(&text, ')');
    ReleaseSysCache(tuple);
    return text.data;
}

}  // namespace

std::string quoted_function(Oid function) {
    return pg::call([function] { return function_identity(function); });
}

std::string creation_schema() {
    return pg::call([]() -> const char* {
        List* const path = fetch_search_path(false);
        return path == NIL ? "" : schema_name(linitial_oid(path));
    });
}

std::string quoted(std::string_view name, bool has_schema) {
    std::string const whole(name);
    auto const dot = has_schema ? whole.find('.') : std::string::npos;
    std::string const schema = dot == std::string::npos ? std::string() : whole.substr(0, dot);
    std::string const own = dot == std::string::npos ? whole : whole.substr(dot + 1);
    return pg::call([&schema, &own] {
        return static_cast<const char*>(
            quote_qualified_identifier(schema.empty() ? nullptr : schema.c_str(), own.c_str()));
    });
}

Oid find_relation(const RangeVar* range) {
    return pg::call([range] { return RangeVarGetRelid(range, NoLock, true); });
}

NamedObject name_of_range(const RangeVar* range, std::string_view kind) {
    Oid const relation = find_relation(range);
    if (OidIsValid(relation)) return name_of_relation(relation);
    return {kind, joined(range->schemaname, range->relname)};
}

NamedObject name_of_new(const RangeVar* range, std::string_view kind) {
    if (range->relpersistence == RELPERSISTENCE_TEMP) return {kind, joined("pg_temp", range->relname)};
    if (range->schemaname != nullptr) return {kind, joined(range->schemaname, range->relname)};
    auto const* const schema = pg::call([]() -> const char* {
        List* const path = fetch_search_path(false);
        return path == NIL ? nullptr : schema_name(linitial_oid(path));
    });
    return {kind, joined(schema, range->relname)};
}

std::string name_of_list(const List* names) {
    std::string text;
    for (int i = 0; i < list_length(names); ++i) {
        auto const* const node = static_cast<const Node*>(list_nth(names, i));
        if (!IsA(node, String)) continue;
        if (!text.empty()) text += '.';
        text += strVal(node);
    }
    return text;
}

namespace {

struct Identity {
    const char* description;
    const char** parts;
    int count;
};

Identity identity_of(const ObjectAddress* address) {
    List* names = NIL;
    List* arguments = NIL;
    Identity result = {getObjectTypeDescription(address, true), nullptr, 0};
    if (getObjectIdentityParts(address, &names, &arguments, true) == nullptr) return result;
    result.parts =
        static_cast<const char**>(palloc(sizeof(char*) * static_cast<std::size_t>(list_length(names) + 1)));
    while (result.count < list_length(names)) {
        result.parts[result.count] = static_cast<const char*>(list_nth(names, result.count));
        ++result.count;
    }
    return result;
}

}  // namespace

NamedObject name_of_address(const ObjectAddress& address) {
    auto const identity = pg::call([at = &address] { return identity_of(at); });
    auto const kind = kind_of_description(identity.description == nullptr ? "" : identity.description);
    std::size_t const count =
        static_cast<std::size_t>(is_part(kind) ? std::min(identity.count, 2) : identity.count);
    std::string name;
    for (auto const* const part : std::span(identity.parts, count)) {
        if (!name.empty()) name += '.';
        name += part;
    }
    return {kind, std::move(name)};
}

std::string_view kind_of(ObjectType type) noexcept {
    switch (type) {
        case OBJECT_ACCESS_METHOD: return "access_method";
        case OBJECT_AGGREGATE: return "aggregate";
        case OBJECT_CAST: return "cast";
        case OBJECT_COLUMN: return "column";
        case OBJECT_COLLATION: return "collation";
        case OBJECT_CONVERSION: return "conversion";
        case OBJECT_DATABASE: return "database";
        case OBJECT_DEFAULT: return "default";
        case OBJECT_DOMAIN: return "domain";
        case OBJECT_DOMCONSTRAINT:
        case OBJECT_TABCONSTRAINT: return "constraint";
        case OBJECT_EVENT_TRIGGER: return "event_trigger";
        case OBJECT_EXTENSION: return "extension";
        case OBJECT_FDW: return "foreign_data_wrapper";
        case OBJECT_FOREIGN_SERVER: return "server";
        case OBJECT_FOREIGN_TABLE: return "foreign_table";
        case OBJECT_ROUTINE:
        case OBJECT_FUNCTION: return "function";
        case OBJECT_INDEX: return "index";
        case OBJECT_LANGUAGE: return "language";
        case OBJECT_LARGEOBJECT: return "large_object";
        case OBJECT_MATVIEW: return "materialized_view";
        case OBJECT_OPCLASS: return "operator_class";
        case OBJECT_OPERATOR: return "operator";
        case OBJECT_OPFAMILY: return "operator_family";
        case OBJECT_POLICY: return "policy";
        case OBJECT_PROCEDURE: return "procedure";
        case OBJECT_PUBLICATION: return "publication";
        case OBJECT_ROLE: return "role";
        case OBJECT_RULE: return "rule";
        case OBJECT_SCHEMA: return "schema";
        case OBJECT_SEQUENCE: return "sequence";
        case OBJECT_SUBSCRIPTION: return "subscription";
        case OBJECT_STATISTIC_EXT: return "statistics";
        case OBJECT_TABLE: return "table";
        case OBJECT_TABLESPACE: return "tablespace";
        case OBJECT_TRANSFORM: return "transform";
        case OBJECT_TRIGGER: return "trigger";
        case OBJECT_TSCONFIGURATION:
        case OBJECT_TSDICTIONARY:
        case OBJECT_TSPARSER:
        case OBJECT_TSTEMPLATE: return "text_search";
        case OBJECT_ATTRIBUTE:
        case OBJECT_TYPE: return "type";
        case OBJECT_USER_MAPPING: return "user_mapping";
        case OBJECT_VIEW: return "view";
        default: return kUnknownKind;
    }
}

}  // namespace hoopguard::classify
