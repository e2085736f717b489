// Built-in functions go by their symbol, so that a user-made alias (LANGUAGE internal AS 'set_config_by_name') is
// seen for what it is; functions of extensions by the library they live in.
#include "classify/functions_pg.hpp"

#include "base/remembered.hpp"
#include "classify/names_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <unordered_map>

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace hoopguard::classify {

namespace {

using policy::ClassSet;
using enum policy::StatementClass;

struct Known {
    std::string_view begins;  // with this
    ClassSet classes;
};

// Symbols of the server.
constexpr Known kInternal[] = {
    {"pg_read_file", kEgress},
    {"pg_read_binary_file", kEgress},
    {"pg_stat_file", kEgress},
    {"pg_ls_", kEgress},
    {"be_lo_import", kEgress},
    {"be_lo_export", kEgress},
    {"pg_reload_conf", kConfig},
    {"pg_rotate_logfile", kConfig},
    {"pg_promote", kReplication},
    {"pg_wal_replay_", kReplication},
    {"pg_switch_wal", kReplication},
    {"pg_create_restore_point", kReplication},
    {"pg_backup_st", kReplication},
    {"pg_create_physical_replication_slot", kReplication},
    {"pg_create_logical_replication_slot", kReplication},
    {"pg_drop_replication_slot", kReplication},
    {"pg_copy_physical_replication_slot", kReplication},
    {"pg_copy_logical_replication_slot", kReplication},
    {"pg_logical_slot_", kReplication},
    {"pg_logical_emit_message", kReplication},
    {"pg_replication_slot_advance", kReplication},
    {"pg_replication_origin_", kReplication},
    {"pg_terminate_backend", kMaintenance},
    {"pg_cancel_backend", kMaintenance},
    {"be_lo_unlink", kWriteDelete},
    {"be_lo_creat", kWriteInsert},
    {"be_lo_from_bytea", kWriteInsert},
    {"be_lowrite", kWriteUpdate},
    {"be_lo_put", kWriteUpdate},
    {"be_lo_truncate", kWriteUpdate},
    {"setval", kWriteUpdate},
};

// Libraries, whatever of theirs is called.
constexpr Known kLibraries[] = {
    {"dblink", kEgress},
    {"adminpack", kEgress},
    {"pg_cron", kCode},
};

// Functions of hoopguard's that change policy, by their names in its schema, where only its owner makes any.
constexpr std::string_view kPolicyFunctions[] = {
    "guard",
    "unguard",
    "protect_agent",
    "unprotect_agent",
    "set_session_preload",
    "lock_actor",
    "unlock_actor",
    "set_mask",
    "drop_mask",
    "classify_column",
    "declassify_column",
    "classify_discovered",
    "set_provider",
    "drop_provider",
    "map_role",
    "map_group",
    "map_claims",
    "unmap_group",
    "unmap_claims",
    "preload_for_mapped_roles",
    "uninstall",
};

// Those that write to other tables of hoopguard's: where they are done out of sight (sqlapi/elsewhere.cpp), the
// call is what is judged.
constexpr std::string_view kWritesElsewhere[] = {"open_review", "close_review", "certify", "reassign"};
constexpr std::string_view kElsewhere = "hoopguard_elsewhere";

constexpr std::string_view kSetConfig = "set_config_by_name";

ClassSet classes_in(std::span<const Known> table, std::string_view name) {
    for (auto const& known : table)
        if (name.starts_with(known.begins)) return known.classes;
    return {};
}

// What pg_proc says of a function; the texts are palloc'ed.
struct Facts {
    const char* symbol;
    const char* library;
    const char* own;  // its name, of one in schema hoopguard; otherwise empty
    Oid language;
    bool trusted;
    bool restricted;  // EXECUTE is not what it is by default
    char kind;
};

const char* text_attribute(HeapTuple tuple, int attribute) {
    bool null = false;
    Datum const value = SysCacheGetAttr(PROCOID, tuple, static_cast<AttrNumber>(attribute), &null);
    return null ? "" : TextDatumGetCString(value);
}

bool is_trusted(Oid language) {
    HeapTuple const tuple = SearchSysCache1(LANGOID, ObjectIdGetDatum(language));
    if (!HeapTupleIsValid(tuple)) return true;
    bool const trusted = reinterpret_cast<Form_pg_language>(GETSTRUCT(tuple))->lanpltrusted;
    ReleaseSysCache(tuple);
    return trusted;
}

Facts facts_of(Oid function) {
    HeapTuple const tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return {"", "", "", InvalidOid, true, false, PROKIND_FUNCTION};
    auto const* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    Facts facts = {"", "", "", form->prolang, true, false, form->prokind};
    bool open = false;
    (void)SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &open);
    facts.restricted = !open;
    if (facts.language == INTERNALlanguageId || facts.language == ClanguageId)
        facts.symbol = text_attribute(tuple, Anum_pg_proc_prosrc);
    if (facts.language == ClanguageId) facts.library = text_attribute(tuple, Anum_pg_proc_probin);
    auto const* const schema = function < FirstNormalObjectId ? nullptr : get_namespace_name(form->pronamespace);
    if (schema != nullptr && strcmp(schema, "hoopguard") == 0) facts.own = pstrdup(NameStr(form->proname));
    ReleaseSysCache(tuple);
    facts.trusted = is_trusted(facts.language);
    return facts;
}

std::string_view base_name(std::string_view path) {
    auto const slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool changes_policy(const Facts& facts) {
    auto const is_among = [&facts](std::span<const std::string_view> names) {
        return std::ranges::find(names, facts.own) != names.end();
    };
    return is_among(kPolicyFunctions) || (facts.symbol == kElsewhere && is_among(kWritesElsewhere));
}

[[gnu::noinline]] FunctionEffect find_effect(Oid function) {
    auto const facts = pg::call([function] { return facts_of(function); });
    FunctionEffect effect;
    effect.asks = function >= FirstNormalObjectId || facts.restricted;
    effect.kind = facts.kind;
    switch (facts.language) {
        case INTERNALlanguageId:
            effect.classes = classes_in(kInternal, facts.symbol);
            effect.sets_setting = facts.symbol == kSetConfig;
            break;
        case ClanguageId: effect.classes = classes_in(kLibraries, base_name(facts.library)); break;
        case SQLlanguageId: break;
        default: effect.classes = facts.trusted ? ClassSet() : ClassSet(kCode); break;
    }
    if (changes_policy(facts)) effect.classes |= kPolicy;
    return effect;
}

bool forget = false;

base::Remembered<Oid, 256> computing;

using Effects = std::unordered_map<Oid, FunctionEffect>;
using Names = std::unordered_map<Oid, std::string>;

[[gnu::hot]] Effects& effects() {
    static Effects known;
    return known;
}

Names& names() {
    static Names known;
    return known;
}

}  // namespace

extern "C" {

static void hoopguard_functions_changed(Datum, int, uint32) {
    forget = true;
}

}  // extern "C"

namespace {

[[gnu::hot]] void forget_what_changed() {
    static bool listening = false;
    if (!listening) {
        pg::call([] {
            // Names change with the schema's, and with those of types.
            for (int const cache : {PROCOID, NAMESPACEOID, TYPEOID})
                CacheRegisterSyscacheCallback(cache, hoopguard_functions_changed, Datum{0});
        });
        listening = true;
    }
    if (forget) {
        computing.clear();
        effects().clear();
        names().clear();
    }
    forget = false;
}

}  // namespace

[[gnu::hot]] FunctionEffect effect_of_function(Oid function) {
    forget_what_changed();
    auto& known = effects();
    auto found = known.find(function);
    if (found == known.end()) found = known.emplace(function, find_effect(function)).first;
    auto const& effect = found->second;
    if (effect.classes.empty() && !effect.sets_setting) computing.add(function);
    return effect;
}

[[gnu::hot]] bool is_known_to_compute(Oid function) noexcept {
    return !forget && computing.has(function);
}

const std::string& name_of_function(Oid function) {
    forget_what_changed();
    auto& known = names();
    if (auto const found = known.find(function); found != known.end()) return found->second;
    auto name = quoted_function(function);
    return known.emplace(function, std::move(name)).first->second;
}

std::string_view kind_of_function(char prokind) noexcept {
    switch (prokind) {
        case PROKIND_PROCEDURE: return "procedure";
        case PROKIND_AGGREGATE: return "aggregate";
        default: return "function";
    }
}

}  // namespace hoopguard::classify
