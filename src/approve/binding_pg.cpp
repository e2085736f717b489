// The digest, part by part, each with its length before it.
#include "approve/binding_pg.hpp"

#include "approve/bound_values_pg.hpp"
#include "approve/speaker_pg.hpp"
#include "base/json_writer.hpp"
#include "crypto/digest.hpp"
#include "pg/tree.hpp"

#include <algorithm>

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "rewrite/prs2lock.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace hoopguard::approve {

namespace {

constexpr std::size_t kLongestShown = 8192;

class Binding {
 public:
    void add(std::string_view part) {
        number(part.size());
        digest_.update(base::bytes_of(part));
    }
    void number(std::uint64_t value) {
        std::uint8_t bytes[8];
        base::put_u64(bytes, value);
        digest_.update({bytes, sizeof bytes});
    }
    void raw(const void* bytes, std::size_t size) { add({static_cast<const char*>(bytes), size}); }
    std::string finish() { return base::to_hex(digest_.finish()); }

 private:
    crypto::Sha256 digest_;
};

void add_speaker(Binding& binding, const identify::Actor& actor, const identify::Session& session) {
    binding.add(actor.provider);
    binding.add(actor.name);
    binding.add(session.login_role);
    binding.number(actor.effective_role);
    binding.add(session.database);
    binding.number(session.database_oid);
}

// What says how a text is read, and what its names mean.
void add_settings(Binding& binding) {
    for (const char* name : {"search_path", "standard_conforming_strings", "DateStyle", "IntervalStyle",
                             "TimeZone", "row_security", "session_replication_role"})
        binding.add(pg::call([name] { return GetConfigOption(name, false, false); }));
}

void add_tuple(Binding* binding, HeapTuple tuple) {
    binding->raw(reinterpret_cast<const char*>(tuple->t_data) + tuple->t_data->t_hoff,
                 tuple->t_len - tuple->t_data->t_hoff);
}

// PostgreSQL keeps of each function that a plan rests on the hash of its catalog key alone, inlined ones among
// them (record_plan_function_dependency); pinned functions it leaves out.
bool rests_on(const PlannedStmt* plan, std::uint32_t hash) {
    ListCell* cell;
    foreach (cell, plan->invalItems) {
        auto const* const item = static_cast<const PlanInvalItem*>(lfirst(cell));
        if (item->cacheId == PROCOID && item->hashValue == hash) return true;
    }
    return false;
}

void add_functions(Binding* binding, const PlannedStmt* plan) {
    if (plan->invalItems == NIL) return;
    Relation const functions = table_open(ProcedureRelationId, AccessShareLock);
    SysScanDesc const scan = systable_beginscan(functions, ProcedureOidIndexId, true, nullptr, 0, nullptr);
    while (HeapTuple const tuple = systable_getnext(scan)) {
        Oid const oid = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->oid;
        if (rests_on(plan, GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(oid)))) add_tuple(binding, tuple);
    }
    systable_endscan(scan);
    table_close(functions, AccessShareLock);
}

void add_triggers(Binding* binding, Relation relation) {
    for (int i = 0; relation->trigdesc != nullptr && i < relation->trigdesc->numtriggers; ++i) {
        const Trigger& trigger = relation->trigdesc->triggers[i];
        binding->number(static_cast<unsigned char>(trigger.tgenabled));
        HeapTuple const function = SearchSysCache1(PROCOID, ObjectIdGetDatum(trigger.tgfoid));
        if (!HeapTupleIsValid(function)) continue;
        add_tuple(binding, function);
        ReleaseSysCache(function);
    }
}

void add_rules(Binding* binding, Relation relation) {
    for (int i = 0; relation->rd_rules != nullptr && i < relation->rd_rules->numLocks; ++i) {
        char* const actions = nodeToString(relation->rd_rules->rules[i]->actions);
        binding->raw(actions, strlen(actions));
        pfree(actions);
    }
}

void add_relation(Binding* binding, Oid oid) {
    binding->number(oid);
    Relation const relation = try_relation_open(oid, AccessShareLock);
    if (relation == nullptr) return;
    binding->raw(RelationGetRelationName(relation), strlen(RelationGetRelationName(relation)));
    add_triggers(binding, relation);
    add_rules(binding, relation);
    relation_close(relation, NoLock);
}

// The objects of a utility statement are names still.
void add_named(Binding* binding, const char* schema, const char* name) {
    Oid const space = get_namespace_oid(schema, true);
    binding->number(OidIsValid(space) ? get_relname_relid(name, space) : InvalidOid);
}

void add_objects(Binding& binding, const classify::Footprint& footprint) {
    for (auto const& object : footprint.objects) {
        binding.add(object.kind);
        binding.add(object.name);
        auto const dot = object.name.find('.');
        if (dot == std::string::npos) continue;
        auto const schema = object.name.substr(0, dot);
        auto const* const name = object.name.c_str() + dot + 1;
        pg::call([&] { add_named(&binding, schema.c_str(), name); });
    }
}

// The digest of a Binding holds nothing that a longjmp could lose.
void add_plan(Binding& binding, const PlannedStmt* plan) {
    pg::call([&binding, plan] {
        ListCell* cell;
        foreach (cell, plan->relationOids) add_relation(&binding, lfirst_oid(cell));
        add_functions(&binding, plan);
    });
}

}  // namespace

std::string binding_of(const classify::Statement& statement, const identify::Actor& actor,
                       const identify::Session& session, const classify::Footprint& footprint) {
    Binding binding;
    add_speaker(binding, actor, session);
    binding.add(statement.text);
    each_value(statement.parameters, [&](unsigned, Oid type, std::string_view value) {
        binding.number(type);
        binding.number(value.data() == nullptr);
        binding.add(value);
    });
    add_settings(binding);
    add_objects(binding, footprint);
    if (statement.query != nullptr) add_plan(binding, statement.plan);
    if (statement.is_fastpath()) binding.number(statement.function);
    return binding.finish();
}

std::string binding_of_script(std::string_view script, const identify::Actor& actor,
                              const identify::Session& session) {
    Binding binding;
    add_speaker(binding, actor, session);
    binding.add("script");
    binding.add(script);
    add_settings(binding);
    return binding.finish();
}

std::string parameters_json(ParamListInfo parameters, const ShownValue& show) {
    std::string out;
    each_value(parameters, [&](unsigned number, Oid type, std::string_view value) {
        base::JsonWriter one;
        one.text("type",
                 to_utf8(pg::call([type] { return format_type_extended(type, -1, FORMAT_TYPE_ALLOW_INVALID); })));
        bool const null = value.data() == nullptr;
        auto const all = null ? std::string() : show(number, value);
        auto const shown = to_utf8(std::string_view(all).substr(0, kLongestShown));
        if (null)
            one.json("value", "null");
        else
            one.text("value", shown);
        if (all.size() > kLongestShown) one.number("length", value.size());
        out.append(out.empty() ? "[" : ",").append(one.object());
    });
    if (!out.empty()) out.push_back(']');
    return out;
}

std::string parameters_json(ParamListInfo parameters, bool hide) {
    return parameters_json(parameters, [hide](unsigned, std::string_view value) {
        return std::string(hide ? std::string_view("***") : value);
    });
}

}  // namespace hoopguard::approve
