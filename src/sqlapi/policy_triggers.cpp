// Triggers of the policy tables: they check rows, tell the broker of changes, and refuse writes outside the
// control database.
#include "identify/certificates.hpp"
#include "identify/key_set.hpp"
#include "identify/session_pg.hpp"
#include "mask/data_class.hpp"
#include "mask/label_rules_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/change_pg.hpp"
#include "policy/rows_pg.hpp"
#include "policy/schedule.hpp"
#include "record/policy_entry_pg.hpp"

#include <algorithm>
#include <string_view>

extern "C" {
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/rel.h"
}

namespace {

using namespace hoopguard;

constexpr std::string_view kGroupPrefix = "group:";

const TriggerData& trigger_data(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw pg::Refusal(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                          "this function can only be called as a trigger");
    return *reinterpret_cast<TriggerData*>(fcinfo->context);
}

[[noreturn]] void refuse_here(const char* message) {
    throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message, nullptr,
                      pg::format("Connect to the control database \"%s\" for that.", pg::settings.database));
}

[[noreturn]] void refuse(const char* table, const std::string& name, const policy::Objection& objection) {
    throw pg::Refusal(ERRCODE_INVALID_PARAMETER_VALUE,
                      pg::format("invalid value for column \"%s\" of %s \"%s\": \"%s\"", objection.column.c_str(),
                                 table, name.c_str(), objection.value.c_str()),
                      nullptr, pg::format("Allowed: %s.", objection.allowed.c_str()));
}

bool role_exists(const std::string& name) {
    return pg::call([&name] { return OidIsValid(get_role_oid(name.c_str(), true)); });
}

std::optional<policy::Objection> object_to_roles(const char* column, const std::optional<policy::Words>& roles) {
    if (!roles) return std::nullopt;
    auto const unknown = std::ranges::find_if(
        *roles, [](const std::string& role) { return !role.starts_with(kGroupPrefix) && !role_exists(role); });
    if (unknown == roles->end()) return std::nullopt;
    return policy::Objection{column, *unknown, "names of existing roles, or group:NAME"};
}

std::optional<policy::Objection> object_to_zone(const std::optional<std::string>& schedule) {
    if (!schedule) return std::nullopt;
    auto const zone = std::string(policy::Schedule::parse(*schedule)->zone());
    if (pg::call([&zone] { return pg_tzset(zone.c_str()) != nullptr; })) return std::nullopt;
    return policy::Objection{"schedule", *schedule, "a time zone that the server knows (pg_timezone_names)"};
}

void check(const policy::Guardrail& row) {
    for (auto const& objection :
         {policy::object_to(row), object_to_roles("roles", row.roles),
          object_to_roles("except_roles", row.except_roles), object_to_roles("approvers", row.approvers)})
        if (objection) refuse("guardrail", row.name, *objection);
    if (auto const objection = object_to_zone(row.schedule)) refuse("guardrail", row.name, *objection);
}

void check(const policy::ActorRow& row) {
    if (auto const objection = policy::object_to(row)) refuse("actor", row.name, *objection);
    if (!row.provider && !role_exists(row.name))
        refuse("actor", row.name, {"name", row.name, "an existing role when provider is NULL"});
}

void check(const policy::LockRow& row) {
    if (auto const objection = policy::object_to(row)) refuse("locked_actor", row.name, *objection);
}

// A method that can be read, and that keeps the type of every column of this database that carries the class.
void check_method(const char* table, const std::string& data_class, const std::string& spelled) {
    auto const method = mask::parse_method(spelled);
    if (!method)
        throw pg::Refusal(ERRCODE_INVALID_PARAMETER_VALUE,
                          pg::format("invalid value for column \"method\" of %s \"%s\": \"%s\"", table,
                                     data_class.c_str(), spelled.c_str()),
                          pg::format("%s.", method.error().message.c_str()));
    if (data_class == mask::kUnclassified && !mask::fits(*method, mask::TypeFamily::kText))
        refuse(table, data_class,
               {"method", spelled, "a method for text: columns without a label are text and json"});
    pg::call([&] { mask::check_labelled(data_class.c_str(), *method); });
}

void check(const policy::DataClassRow& row, bool built_in_before) {
    if (auto const objection = policy::object_to(row)) refuse("data class", row.name, *objection);
    if ((row.built_in || built_in_before) && !pg::call([] { return creating_extension; }))
        throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
                          pg::format("data class \"%s\" is built in and stays as it is", row.name.c_str()),
                          nullptr, "hoopguard.set_mask() says how it is masked, for whom and where.");
    check_method("data class", row.name, row.method);
}

void check_unused(const policy::DataClassRow& row) {
    check(row, row.built_in);
    auto const policies = policy::read_mask_policies();
    if (std::ranges::find(policies, row.name, &policy::MaskPolicyRow::data_class) == policies.end()) return;
    throw pg::Refusal(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
                      pg::format("data class \"%s\" is named by a mask policy", row.name.c_str()), nullptr,
                      "hoopguard.drop_mask() removes it.");
}

void check(const policy::MaskPolicyRow& row) {
    for (auto const& objection : {policy::object_to(row), object_to_roles("roles", row.roles),
                                  object_to_roles("except_roles", row.except_roles)})
        if (objection) refuse("mask policy of", row.data_class, *objection);
    auto const classes = policy::read_data_classes();
    if (std::ranges::find(classes, row.data_class, &policy::DataClassRow::name) == classes.end())
        throw pg::Refusal(ERRCODE_INVALID_PARAMETER_VALUE,
                          pg::format("unknown data class \"%s\"", row.data_class.c_str()), nullptr,
                          "hoopguard.data_class lists the data classes; a new one is a row there.");
    check_method("mask policy of", row.data_class, row.method);
}

void check(const policy::Provider& row) {
    if (auto const objection = policy::object_to(row)) refuse("provider", row.name, *objection);
    if (!row.jwks) return;
    base::Status status;
    if (row.kind == "saml") {
        if (auto const certificates = identify::parse_certificates(*row.jwks); !certificates)
            status = certificates.error();
    } else if (auto const keys = identify::KeySet::parse(*row.jwks); !keys) {
        status = keys.error();
    }
    if (!status) refuse("provider", row.name, {"jwks", row.jwks->substr(0, 80), status.error().message});
}

void check(const policy::RoleMap& row) {
    if (auto const objection = policy::object_to(row)) refuse("role_map of provider", row.provider, *objection);
    auto const usable = pg::call([&row] {
        Oid const role = get_role_oid(row.role.c_str(), true);
        return OidIsValid(role) && !superuser_arg(role);
    });
    if (!usable)
        refuse("role_map of provider", row.provider, {"role", row.role, "an existing role that is no superuser"});
}

// The row that is about to be stored.
HeapTuple new_row(const TriggerData& data) {
    return TRIGGER_FIRED_BY_UPDATE(data.tg_event) ? data.tg_newtuple : data.tg_trigtuple;
}

policy::RowReader reader(const TriggerData& data) {
    return {new_row(data), RelationGetDescr(data.tg_relation)};
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_check_guardrail) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_guardrail(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_actor) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_actor(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_locked_actor) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_lock(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_data_class) {
    auto const& data = trigger_data(fcinfo);
    policy::RowReader const old(data.tg_trigtuple, RelationGetDescr(data.tg_relation));
    if (TRIGGER_FIRED_BY_DELETE(data.tg_event))
        check_unused(policy::read_data_class(old));
    else
        check(policy::read_data_class(reader(data)),
              TRIGGER_FIRED_BY_UPDATE(data.tg_event) && policy::read_data_class(old).built_in);
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_mask_policy) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_mask_policy(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_provider) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_provider(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_role_map) {
    auto const& data = trigger_data(fcinfo);
    check(policy::read_role_map(reader(data)));
    return PointerGetDatum(new_row(data));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_policy_changed) {
    auto const& data = trigger_data(fcinfo);
    // Rows are recorded one by one; TRUNCATE has none.
    if (TRIGGER_FIRED_BY_TRUNCATE(data.tg_event))
        record::record_policy_change(identify::known_actor(), RelationGetRelationName(data.tg_relation),
                                     "{\"all\": \"rows\"}", std::nullopt);
    policy::note_change(RelationGetRelid(data.tg_relation));
    return PointerGetDatum(nullptr);
}

HOOPGUARD_SQL_FUNCTION(hoopguard_refuse_policy_write) {
    auto const* const table = RelationGetRelationName(trigger_data(fcinfo).tg_relation);
    refuse_here(pg::format("hoopguard.%s is read-only in this database: it shows the policy in force", table));
}

// For the functions that change policy, or read what is kept beside it: an error in every other database.
HOOPGUARD_SQL_FUNCTION(hoopguard_require_control_database) {
    auto const* const here = pg::call([] { return get_database_name(MyDatabaseId); });
    if (here == nullptr || std::string_view(here) != pg::settings.database)
        refuse_here("this can only be done in the control database");
    return Datum{0};
}
