// The policy in force as rows, for databases that are not the control database.
#include "base/text.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/tables.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

namespace {

using namespace hoopguard;
using policy::ActorField;
using policy::GuardrailField;
using policy::ProviderField;
using policy::RoleMapField;
using policy::Row;
using policy::SectionId;

constexpr int kMostColumns = 32;

// The columns of one row, in order. May throw pg::Error.
class RowBuilder {
 public:
    void text(std::string_view value, bool null) {
        put(null, [value] {
            return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size())));
        });
    }
    void texts(const policy::TextList& list) {
        put(list.is_null(), [&list] {
            auto* const elements = static_cast<Datum*>(palloc(sizeof(Datum) * (list.size() + 1)));
            int count = 0;
            for (auto const item : list)
                elements[count++] =
                    PointerGetDatum(cstring_to_text_with_len(item.data(), static_cast<int>(item.size())));
            return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
        });
    }
    void json(std::string_view value, bool null) {
        put(null, [value] {
            return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(value.data(), value.size())));
        });
    }
    void number(std::uint64_t value, bool null) {
        put(null, [value] { return Int64GetDatum(static_cast<std::int64_t>(value)); });
    }
    void small_number(std::uint64_t value, bool null) {
        put(null, [value] { return Int32GetDatum(static_cast<std::int32_t>(value)); });
    }
    void real(double value, bool null) {
        put(null, [value] { return Float8GetDatum(value); });
    }
    void boolean(bool value) {
        put(false, [value] { return BoolGetDatum(value); });
    }
    void interval(std::uint64_t microseconds, bool null) {
        put(null, [microseconds] {
            auto* const span = static_cast<Interval*>(palloc0(sizeof(Interval)));
            span->time = static_cast<TimeOffset>(microseconds);
            return PointerGetDatum(span);
        });
    }
    void time(std::uint64_t microseconds, bool null) {
        constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
        put(null,
            [microseconds] { return TimestampTzGetDatum(static_cast<std::int64_t>(microseconds) - kEpochs); });
    }
    void store(ReturnSetInfo* result) {
        pg::call([this, result] { tuplestore_putvalues(result->setResult, result->setDesc, values_, nulls_); });
        count_ = 0;
    }

 private:
    template <class Make>
    void put(bool null, Make make) {
        nulls_[count_] = null;
        values_[count_] = null ? Datum{0} : pg::call(make);
        ++count_;
    }
    Datum values_[kMostColumns] = {};
    bool nulls_[kMostColumns] = {};
    int count_ = 0;
};

void put_guardrail(RowBuilder& out, const Row& row) {
    using F = GuardrailField;
    auto const text = [&](F field) { out.text(row.text(field), row.is_null(field)); };
    auto const limit = [&](F field) { return row.word(field) == policy::kUnlimited; };
    text(F::kName);
    out.text(policy::to_text(static_cast<policy::Action>(row.word(F::kAction))), false);
    for (auto const field : {F::kClasses, F::kRoles, F::kExceptRoles, F::kDatabases, F::kObjects})
        out.texts(row.texts(field));
    out.number(row.word(F::kMaxRows), limit(F::kMaxRows));
    out.interval(row.word(F::kPer), row.word(F::kPer) == 0);
    out.real(row.real(F::kMaxCost), row.real(F::kMaxCost) != row.real(F::kMaxCost));
    out.interval(row.word(F::kMaxDuration), row.word(F::kMaxDuration) == 0);
    text(F::kSchedule);
    out.texts(row.texts(F::kApprovers));
    out.small_number(row.word(F::kMinApprovals), limit(F::kMinApprovals));
    out.interval(row.word(F::kWait), limit(F::kWait));
    text(F::kMessage);
    out.text(policy::to_text(static_cast<policy::RuleMode>(row.word(F::kMode))), false);
}

void put_actor(RowBuilder& out, const Row& row) {
    using F = ActorField;
    for (auto const field : {F::kProvider, F::kName, F::kKind, F::kOwner, F::kPurpose})
        out.text(row.text(field), row.is_null(field));
    out.boolean(row.word(F::kPooled) != 0);
    out.time(row.word(F::kExpiresAt), row.word(F::kExpiresAt) == policy::kUnlimited);
}

void put_lock(RowBuilder& out, const Row& row) {
    using F = policy::LockField;
    out.text(row.text(F::kName), false);
    out.text(row.text(F::kReason), false);
    out.time(row.word(F::kUntil), row.word(F::kUntil) == policy::kUnlimited);
    out.boolean(row.word(F::kOwned) != 0);
    out.text(row.text(F::kLockedBy), false);
    out.time(row.word(F::kLockedAt), false);
}

void put_grant(RowBuilder& out, const Row& row) {
    using F = policy::GrantField;
    auto const text = [&](F field) { out.text(row.text(field), row.is_null(field)); };
    out.number(row.word(F::kId), false);
    out.number(row.word(F::kRequest), row.word(F::kRequest) == 0);
    for (auto const field : {F::kProvider, F::kActor, F::kRole, F::kMember}) text(field);
    out.boolean(row.word(F::kMade) != 0);
    for (auto const field : {F::kClasses, F::kObjects, F::kUnmask}) out.texts(row.texts(field));
    text(F::kDatabase);
    auto const session = base::session_text(row.word(F::kSession));
    out.text(session, row.word(F::kSession) == 0);
    out.time(row.word(F::kValidFrom), false);
    out.time(row.word(F::kValidUntil), row.word(F::kValidUntil) == policy::kUnlimited);
    out.texts(row.texts(F::kDecidedBy));
    out.boolean(row.word(F::kBreakGlass) != 0);
}

// Officers see every grant, others their own.
bool may_see(const Row& row) {
    return pg::call([] {
               Oid const user = GetUserId();
               for (const char* const officer : {"hoopguard_admin", "hoopguard_approver", "hoopguard_auditor"})
                   if (Oid const role = get_role_oid(officer, true);
                       OidIsValid(role) && is_member_of_role(user, role))
                       return true;
               return false;
           }) ||
           (row.is_null(policy::GrantField::kProvider) && identify::current_actor().provider.empty() &&
            row.text(policy::GrantField::kActor) == identify::current_actor().name);
}

void put_data_class(RowBuilder& out, const Row& row) {
    using F = policy::DataClassField;
    for (auto const field : {F::kName, F::kMethod, F::kDescription}) out.text(row.text(field), row.is_null(field));
    out.boolean(row.word(F::kBuiltIn) != 0);
}

void put_mask_policy(RowBuilder& out, const Row& row) {
    using F = policy::MaskPolicyField;
    out.text(row.text(F::kDataClass), false);
    out.texts(row.texts(F::kRoles));
    out.texts(row.texts(F::kExceptRoles));
    out.texts(row.texts(F::kDatabases));
    out.texts(row.texts(F::kObjects));
    out.text(row.text(F::kMethod), false);
    out.small_number(row.word(F::kRank), false);
}

void put_provider(RowBuilder& out, const Row& row) {
    using F = ProviderField;
    for (auto const field : {F::kName, F::kKind, F::kIssuer}) out.text(row.text(field), row.is_null(field));
    out.texts(row.texts(F::kAudience));
    out.json(row.text(F::kJwks), row.is_null(F::kJwks));
    out.text(row.text(F::kJwksUri), row.is_null(F::kJwksUri));
    out.texts(row.texts(F::kAlgorithms));
    for (auto const field : {F::kSubjectClaim, F::kGroupsClaim, F::kDelegationClaim})
        out.text(row.text(field), row.is_null(field));
    out.interval(row.word(F::kMaxSession), row.word(F::kMaxSession) == policy::kUnlimited);
    out.boolean(row.word(F::kEnabled) != 0);
}

void put_role_map(RowBuilder& out, const Row& row) {
    using F = RoleMapField;
    out.text(row.text(F::kProvider), false);
    out.text(row.text(F::kGroup), row.is_null(F::kGroup));
    out.json(row.text(F::kClaims), row.is_null(F::kClaims));
    out.text(row.text(F::kRole), false);
    out.text(row.word(F::kTemporary) != 0 ? "temporary" : "mapped", false);
    out.small_number(row.word(F::kRank), false);
}

void put_all(
    FunctionCallInfo fcinfo, SectionId id, void (*put)(RowBuilder&, const Row&),
    bool (*wanted)(const Row&) = [](const Row&) { return true; }) {
    pg::call([fcinfo] { InitMaterializedSRF(fcinfo, 0); });
    auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    auto const* const image = policy::in_force();
    if (image == nullptr) return;
    auto const section = image->section(id);
    RowBuilder out;
    for (std::uint32_t i = 0; i < section.size(); ++i) {
        if (!wanted(section[i])) continue;
        put(out, section[i]);
        out.store(result);
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_guardrail_in_force) {
    put_all(fcinfo, SectionId::kGuardrails, put_guardrail);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_actor_in_force) {
    put_all(fcinfo, SectionId::kActors, put_actor);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_locked_actor_in_force) {
    put_all(fcinfo, SectionId::kLockedActors, put_lock);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_jit_grant_in_force) {
    put_all(fcinfo, SectionId::kGrants, put_grant, may_see);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_data_class_in_force) {
    put_all(fcinfo, SectionId::kDataClasses, put_data_class);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_mask_policy_in_force) {
    put_all(fcinfo, SectionId::kMaskPolicies, put_mask_policy);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_provider_in_force) {
    put_all(fcinfo, SectionId::kProviders, put_provider);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_role_map_in_force) {
    put_all(fcinfo, SectionId::kRoleMaps, put_role_map);
    return Datum{0};
}
