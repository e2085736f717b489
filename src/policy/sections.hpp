// The sections of a policy image and the fields of their rows. To add a kind of policy: a SectionId, an enum of
// its fields, its schema, and a line in schema_of(). Fields are only ever added at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hoopguard::policy {

enum class SectionId : std::uint32_t {
    kTexts = 1,  // bytes that text fields point into
    kItems = 2,  // 8-byte slots that list fields point into
    kFacts = 3,  // one row: PolicyFactField
    kGuardrails = 4,
    kRoleIndex = 5,  // which guardrails concern a role; the first row (null role) is for everyone
    kActors = 6,
    kLockedActors = 12,
    kGrants = 11,  // the active ones alone, in the order of their numbers
    kDataClasses = 7,
    kMaskPolicies = 8,
    kProviders = 9,
    kRoleMaps = 10,  // in the order in which they are tried
};

// Each field of a row is one 8-byte little-endian slot.
enum class FieldType : std::uint8_t {
    kWord,     // unsigned or two's complement number
    kReal,     // IEEE 754 double
    kText,     // offset and length in kTexts; may be null
    kTexts,    // first and count in kItems, each a kText; may be null
    kNumbers,  // first and count in kItems, each a kWord
};

enum class PolicyFactField : std::uint32_t { kDatabase, kCount };
inline constexpr FieldType kPolicyFactSchema[] = {FieldType::kText};

enum class GuardrailField : std::uint32_t {
    kName,
    kAction,   // Action
    kMode,     // RuleMode
    kReach,    // ClassSet: every class that may meet this rule
    kPlain,    // ClassSet: the part of kReach that no kind of object narrows
    kClasses,  // as written
    kRoles,    // null: everyone but system roles
    kExceptRoles,
    kDatabases,    // null: all
    kObjects,      // null: all; globs
    kMaxRows,      // kUnlimited: none
    kPer,          // microseconds; 0: per transaction
    kMaxCost,      // NaN: none
    kMaxDuration,  // microseconds; 0: none
    kSchedule,     // null: always
    kApprovers,
    kMinApprovals,
    kWait,  // microseconds; kUnlimited: approval_wait
    kMessage,
    kCount,
};
inline constexpr FieldType kGuardrailSchema[] = {
    FieldType::kText,  FieldType::kWord,  FieldType::kWord,  FieldType::kWord,  FieldType::kWord,
    FieldType::kTexts, FieldType::kTexts, FieldType::kTexts, FieldType::kTexts, FieldType::kTexts,
    FieldType::kWord,  FieldType::kWord,  FieldType::kReal,  FieldType::kWord,  FieldType::kText,
    FieldType::kTexts, FieldType::kWord,  FieldType::kWord,  FieldType::kText,
};

enum class RoleIndexField : std::uint32_t {
    kRole,   // null: everyone; rows are sorted by the bytes of this
    kReach,  // ClassSet: union over the guardrails
    kRules,  // rows of kGuardrails
    kCount,
};
inline constexpr FieldType kRoleIndexSchema[] = {FieldType::kText, FieldType::kWord, FieldType::kNumbers};

enum class ActorField : std::uint32_t {
    kProvider,  // null: a database role
    kName,
    kKind,  // "human", "agent", "service"
    kOwner,
    kPurpose,
    kPooled,     // 0 or 1
    kExpiresAt,  // microseconds since 1970-01-01 UTC; kUnlimited: never
    kCount,
};
inline constexpr FieldType kActorSchema[] = {
    FieldType::kText, FieldType::kText, FieldType::kText, FieldType::kText,
    FieldType::kText, FieldType::kWord, FieldType::kWord,
};

enum class LockField : std::uint32_t {
    kName,
    kReason,
    kUntil,  // microseconds since 1970-01-01 UTC; kUnlimited: until unlocked
    kOwned,  // 0 or 1: the agents that this actor owns too
    kLockedBy,
    kLockedAt,  // microseconds since 1970-01-01 UTC
    kCount,
};
inline constexpr FieldType kLockSchema[] = {
    FieldType::kText, FieldType::kText, FieldType::kWord, FieldType::kWord, FieldType::kText, FieldType::kWord,
};

// A just-in-time grant: what an actor may do until it ends.
enum class GrantField : std::uint32_t {
    kId,
    kRequest,   // 0: none
    kProvider,  // null: a database role
    kActor,
    kRole,        // membership of; null: none
    kMember,      // the role that holds it
    kMade,        // 0 or 1: made for the grant, and taken back at its end
    kClasses,     // leave, as written; null: none
    kObjects,     // of these; null: all; globs
    kUnmask,      // data classes; null: none
    kDatabase,    // where leave and unmasking hold; null: everywhere
    kSession,     // of this session alone; 0: of every one
    kValidUntil,  // microseconds since 1970-01-01 UTC; kUnlimited: until the session ends
    kDecidedBy,
    kValidFrom,   // microseconds since 1970-01-01 UTC
    kBreakGlass,  // 0 or 1
    kCount,
};
inline constexpr FieldType kGrantSchema[] = {
    FieldType::kWord, FieldType::kWord,  FieldType::kText,  FieldType::kText,  FieldType::kText, FieldType::kText,
    FieldType::kWord, FieldType::kTexts, FieldType::kTexts, FieldType::kTexts, FieldType::kText, FieldType::kWord,
    FieldType::kWord, FieldType::kTexts, FieldType::kWord,  FieldType::kWord,
};

enum class DataClassField : std::uint32_t {
    kName,
    kMethod,  // as written
    kDescription,
    kBuiltIn,  // 0 or 1
    kCount,
};
inline constexpr FieldType kDataClassSchema[] = {FieldType::kText, FieldType::kText, FieldType::kText,
                                                 FieldType::kWord};

enum class MaskPolicyField : std::uint32_t {
    kDataClass,
    kMethod,  // as written
    kRoles,   // null: whom mask_default says
    kExceptRoles,
    kDatabases,  // null: all
    kObjects,    // null: all; globs
    kRank,       // two's complement; the lowest matching one wins
    kCount,
};
inline constexpr FieldType kMaskPolicySchema[] = {
    FieldType::kText,  FieldType::kText,  FieldType::kTexts, FieldType::kTexts,
    FieldType::kTexts, FieldType::kTexts, FieldType::kWord,
};

enum class ProviderField : std::uint32_t {
    kName,
    kKind,  // "oidc", "saml"
    kIssuer,
    kAudience,
    kJwks,     // a JSON Web Key Set; null: fetched
    kJwksUri,  // null: not fetched
    kAlgorithms,
    kSubjectClaim,
    kGroupsClaim,
    kDelegationClaim,
    kMaxSession,  // microseconds; kUnlimited: as long as the token is good
    kEnabled,     // 0 or 1
    kCount,
};
inline constexpr FieldType kProviderSchema[] = {
    FieldType::kText,  FieldType::kText, FieldType::kText, FieldType::kTexts, FieldType::kText, FieldType::kText,
    FieldType::kTexts, FieldType::kText, FieldType::kText, FieldType::kText,  FieldType::kWord, FieldType::kWord,
};

enum class RoleMapField : std::uint32_t {
    kProvider,
    kGroup,   // null: any
    kClaims,  // a JSON object of globs, all of which must match; null: any
    kRole,
    kTemporary,  // 0 or 1
    kRank,
    kCount,
};
inline constexpr FieldType kRoleMapSchema[] = {
    FieldType::kText, FieldType::kText, FieldType::kText, FieldType::kText, FieldType::kWord, FieldType::kWord,
};

inline constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

constexpr std::span<const FieldType> schema_of(SectionId id) noexcept {
    switch (id) {
        case SectionId::kFacts: return kPolicyFactSchema;
        case SectionId::kGuardrails: return kGuardrailSchema;
        case SectionId::kRoleIndex: return kRoleIndexSchema;
        case SectionId::kActors: return kActorSchema;
        case SectionId::kLockedActors: return kLockSchema;
        case SectionId::kGrants: return kGrantSchema;
        case SectionId::kDataClasses: return kDataClassSchema;
        case SectionId::kMaskPolicies: return kMaskPolicySchema;
        case SectionId::kProviders: return kProviderSchema;
        case SectionId::kRoleMaps: return kRoleMapSchema;
        case SectionId::kTexts:
        case SectionId::kItems: break;
    }
    return {};
}

static_assert(std::size(kPolicyFactSchema) == static_cast<std::size_t>(PolicyFactField::kCount));
static_assert(std::size(kGuardrailSchema) == static_cast<std::size_t>(GuardrailField::kCount));
static_assert(std::size(kRoleIndexSchema) == static_cast<std::size_t>(RoleIndexField::kCount));
static_assert(std::size(kActorSchema) == static_cast<std::size_t>(ActorField::kCount));
static_assert(std::size(kLockSchema) == static_cast<std::size_t>(LockField::kCount));
static_assert(std::size(kGrantSchema) == static_cast<std::size_t>(GrantField::kCount));
static_assert(std::size(kDataClassSchema) == static_cast<std::size_t>(DataClassField::kCount));
static_assert(std::size(kMaskPolicySchema) == static_cast<std::size_t>(MaskPolicyField::kCount));
static_assert(std::size(kProviderSchema) == static_cast<std::size_t>(ProviderField::kCount));
static_assert(std::size(kRoleMapSchema) == static_cast<std::size_t>(RoleMapField::kCount));

}  // namespace hoopguard::policy
