// Resolving masks: label → data class → method, for session_user and current_user, kept to the column's type.
#include "mask/in_force_pg.hpp"

#include "mask/data_class.hpp"
#include "mask/labels_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"

#include <cstddef>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "parser/parse_coerce.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
}

namespace hoopguard::mask {

namespace {

// One of the two roles that speak.
struct Subject {
    Oid role;
    bool superuser;
    bool guarded;
    bool covered;  // masks without roles concern it
};

// Plain data per process. `known` falls when roles change.
struct InForce {
    bool known;
    Subject session;
    Subject current;
    int mask_mode;
    int mask_default;
    std::uint64_t generation;  // of the policy
    const policy::Image* image;
    std::uint64_t fingerprint;
};

InForce in_force;

void roles_changed(Datum, int, uint32) noexcept {
    if (!in_force.known) return;
    in_force.known = false;
    ResetPlanCache();
}

bool is_covered(const Subject& subject) {
    if (subject.superuser) return false;
    return subject.guarded || pg::settings.mask_default == static_cast<int>(pg::MaskDefault::kEveryone);
}

// The fingerprint of masks by each class's default method.
constexpr std::uint64_t kDefaultMethods = 1;

struct Role {
    char name[NAMEDATALEN];
    bool superuser;
};

Role role_of(Oid role) {
    return pg::call([role] {
        Role found = {};
        const char* const name = GetUserNameFromId(role, true);
        strlcpy(found.name, name != nullptr ? name : "", sizeof found.name);
        found.superuser = superuser_arg(role);
        return found;
    });
}

// An actor of kind agent, by the name of its database role.
bool is_agent(const policy::Image* image, std::string_view role) noexcept {
    if (image == nullptr) return false;
    policy::Section const actors = image->section(policy::SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i) {
        policy::Row const actor = actors[i];
        if (actor.is_null(policy::ActorField::kProvider) && actor.text(policy::ActorField::kName) == role &&
            actor.text(policy::ActorField::kKind) == "agent")
            return true;
    }
    return false;
}

// The same for any role, from PostgreSQL's side: the image that was last looked at stays mapped meanwhile.
bool is_known_agent(Oid role) {
    const char* const name = GetUserNameFromId(role, true);
    return name != nullptr && is_agent(in_force.image, name);
}

Subject subject_of(Oid oid, const Role& role, const policy::Image* image) {
    Subject subject = {oid, role.superuser, is_agent(image, role.name), false};
    subject.covered = is_covered(subject);
    return subject;
}

Method method_for(const Subject& subject, const char* data_class) noexcept {
    return subject.covered ? default_method(data_class) : Method{MethodKind::kClear};
}

Method method_for(const char* data_class) noexcept {
    Method const method = method_for(in_force.session, data_class);
    return method.kind != MethodKind::kClear ? method : method_for(in_force.current, data_class);
}

MaskSpec spec_for(const Method& method, Oid type, int32 typmod) {
    MaskSpec spec;
    spec.method = fitting(method, family_of(type));
    Oid const base = getBaseTypeAndTypmod(type, &typmod);
    if (typmod >= VARHDRSZ && (base == VARCHAROID || base == BPCHAROID)) {
        spec.most_characters = static_cast<std::uint32_t>(typmod - VARHDRSZ);
        spec.padded = base == BPCHAROID;
    }
    return spec;
}

}  // namespace

void look_at(const identify::Actor& actor) {
    bool const changed =
        !in_force.known || in_force.session.role != actor.login_role ||
        in_force.current.role != actor.effective_role || (actor.guarded && !in_force.session.guarded) ||
        in_force.mask_mode != pg::settings.mask_mode || in_force.mask_default != pg::settings.mask_default ||
        in_force.generation != policy::generation_in_force();
    if (!changed) return;
    Role const session = role_of(actor.login_role);
    Role const current = role_of(actor.effective_role);
    // Superusers are never masked, nor refused when the policy cannot be had.
    const policy::Image* const image = session.superuser && current.superuser ? nullptr : policy::in_force();
    InForce next = {};
    next.session = subject_of(actor.login_role, session, image);
    next.session.guarded = next.session.guarded || actor.guarded;
    next.session.covered = is_covered(next.session);
    next.current = subject_of(actor.effective_role, current, image);
    next.mask_mode = pg::settings.mask_mode;
    next.mask_default = pg::settings.mask_default;
    next.generation = image != nullptr ? image->generation() : policy::generation_in_force();
    bool const any = next.session.covered || next.current.covered;
    // By what is masked, not by whom it concerns: roles that see the same may share plans.
    if (any && pg::settings.masking_mode() == pg::Mode::kEnforce) next.fingerprint = kDefaultMethods;
    next.image = image;
    next.known = true;
    in_force = next;
}

void watch_roles() {
    CacheRegisterSyscacheCallback(AUTHOID, roles_changed, 0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, 0);
}

bool any_in_force() noexcept {
    return in_force.fingerprint != 0;
}

std::uint64_t fingerprint() noexcept {
    return in_force.fingerprint;
}

const MaskedColumns* masked_columns(Oid relation) {
    if (!any_in_force()) return nullptr;
    const ClassifiedColumns* classified = classified_columns(relation);
    if (classified == nullptr) return nullptr;
    auto* masked = static_cast<MaskedColumns*>(palloc(
        offsetof(MaskedColumns, columns) + static_cast<std::size_t>(classified->count) * sizeof(MaskedColumn)));
    masked->relation = relation;
    masked->count = 0;
    for (int i = 0; i < classified->count; ++i) {
        const ClassifiedColumn& one = classified->columns[i];
        if (masked->find(one.number) != nullptr) continue;
        Method const method = method_for(one.data_class);
        if (method.kind == MethodKind::kClear) continue;
        MaskedColumn& column = masked->columns[masked->count++];
        column.number = one.number;
        column.spec = pack({method});
        strlcpy(column.data_class, one.data_class, NAMEDATALEN);
    }
    // Only now the types: looking them up may read catalogs, and `classified` belongs to the cache.
    for (int i = 0; i < masked->count; ++i) {
        MaskedColumn& column = masked->columns[i];
        Oid type, collation;
        int32 typmod;
        get_atttypetypmodcoll(relation, column.number, &type, &typmod, &collation);
        column.spec = pack(spec_for(unpack(column.spec).method, type, typmod));
    }
    return masked->count > 0 ? masked : nullptr;
}

bool is_exempt(Oid role) {
    if (superuser_arg(role)) return true;
    for (const Subject& subject : {in_force.session, in_force.current})
        if (subject.role == role) return !subject.covered;
    return pg::settings.mask_default != static_cast<int>(pg::MaskDefault::kEveryone) && !is_known_agent(role);
}

TypeFamily family_of(Oid type) {
    Oid const base = getBaseType(type);
    if (base == BPCHAROID || IsBinaryCoercible(base, TEXTOID)) return TypeFamily::kText;
    return redacted_form(type) != nullptr ? TypeFamily::kConstant : TypeFamily::kOther;
}

const char* redacted_form(Oid type) {
    Oid const base = getBaseType(type);
    switch (base) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case FLOAT4OID:
        case FLOAT8OID:
        case NUMERICOID: return "0";
        case BOOLOID: return "false";
        case DATEOID:
        case TIMESTAMPOID: return "1970-01-01";
        case TIMESTAMPTZOID: return "1970-01-01 00:00+00";
        case TIMEOID:
        case TIMETZOID: return "00:00";
        case INTERVALOID: return "0";
        case UUIDOID: return "00000000-0000-0000-0000-000000000000";
        case BYTEAOID: return "";
        case JSONOID:
        case JSONBOID: return "null";
        case INETOID:
        case CIDROID: return "0.0.0.0";
        default: return OidIsValid(get_element_type(base)) ? "{}" : nullptr;
    }
}

}  // namespace hoopguard::mask
