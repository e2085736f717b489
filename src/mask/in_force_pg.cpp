// Resolving masks: label → data class → method, for session_user and current_user, kept to the column's type.
#include "mask/in_force_pg.hpp"

#include "mask/data_class.hpp"
#include "mask/labels_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/settings.hpp"

#include <cstddef>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
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

// Plain data per process.
struct InForce {
    bool known;
    Subject session;
    Subject current;
    int mask_mode;
    int mask_default;
    std::uint64_t fingerprint;
};

InForce in_force;

bool is_covered(const Subject& subject) {
    if (subject.superuser) return false;
    return subject.guarded || pg::settings.mask_default == static_cast<int>(pg::MaskDefault::kEveryone);
}

// FNV-1a; a plan carries it, nobody stores it.
std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
    for (int i = 0; i < 8; ++i) hash = (hash ^ (value >> (8 * i) & 0xFF)) * 0x100000001B3u;
    return hash;
}

Subject subject_of(Oid role, bool guarded) {
    Subject subject = {role, false, guarded, false};
    subject.superuser = pg::call([role] { return superuser_arg(role); });
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
        in_force.current.role != actor.effective_role || in_force.session.guarded != actor.guarded ||
        in_force.mask_mode != pg::settings.mask_mode || in_force.mask_default != pg::settings.mask_default;
    if (!changed) return;
    InForce next = {};
    next.session = subject_of(actor.login_role, actor.guarded);
    next.current = subject_of(actor.effective_role, actor.guarded);
    next.mask_mode = pg::settings.mask_mode;
    next.mask_default = pg::settings.mask_default;
    bool const any = next.session.covered || next.current.covered;
    if (any && pg::settings.masking_mode() == pg::Mode::kEnforce) {
        next.fingerprint =
            mix(0xCBF29CE484222325u, (next.session.covered ? 1u : 0u) | (next.current.covered ? 2u : 0u));
        if (next.fingerprint == 0) next.fingerprint = 1;
    }
    next.known = true;
    in_force = next;
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
    return pg::settings.mask_default != static_cast<int>(pg::MaskDefault::kEveryone);
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
