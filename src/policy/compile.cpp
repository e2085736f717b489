// Rules in the order of their names, and an index by role, so that a backend reads only what concerns its speaker.
#include "policy/compile.hpp"

#include "base/text.hpp"
#include "policy/image_writer.hpp"
#include "policy/statement_class.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace hoopguard::policy {

namespace {

struct Reach {
    ClassSet all;
    ClassSet plain;
};

Reach reach_of(const Words& classes) {
    Reach reach;
    for (auto const& word : classes) {
        auto const term = parse_class_term(word);
        reach.all |= term->classes;
        if (term->kind.empty()) reach.plain |= term->classes;
    }
    return reach;
}

std::uint64_t or_else(const std::optional<std::int64_t>& value, std::uint64_t otherwise) {
    return value ? static_cast<std::uint64_t>(*value) : otherwise;
}

void write_guardrail(SectionWriter& rows, const Guardrail& row) {
    using F = GuardrailField;
    auto const reach = reach_of(row.classes);
    rows.add_row();
    rows.text(F::kName, row.name);
    rows.word(F::kAction, static_cast<std::uint64_t>(*parse_action(row.action)));
    rows.word(F::kMode, static_cast<std::uint64_t>(*parse_rule_mode(row.mode)));
    rows.word(F::kReach, reach.all.bits());
    rows.word(F::kPlain, reach.plain.bits());
    rows.texts(F::kClasses, row.classes);
    rows.texts(F::kRoles, row.roles);
    rows.texts(F::kExceptRoles, row.except_roles);
    rows.texts(F::kDatabases, row.databases);
    rows.texts(F::kObjects, row.objects);
    rows.word(F::kMaxRows, or_else(row.max_rows, kUnlimited));
    rows.word(F::kPer, or_else(row.per, 0));
    rows.real(F::kMaxCost, row.max_cost.value_or(std::numeric_limits<double>::quiet_NaN()));
    rows.word(F::kMaxDuration, or_else(row.max_duration, 0));
    rows.text(F::kSchedule, row.schedule);
    rows.texts(F::kApprovers, row.approvers);
    rows.word(F::kMinApprovals, or_else(row.min_approvals, 1));
    rows.word(F::kWait, or_else(row.wait, kUnlimited));
    rows.text(F::kMessage, row.message);
}

struct Concern {
    ClassSet reach;
    std::vector<std::uint32_t> rules;
};

void write_role_index(ImageWriter& image, const std::vector<Guardrail>& guardrails) {
    // The empty name, which no role has, stands for everyone and sorts first.
    std::map<std::string_view, Concern> concerns;
    concerns[""];
    for (std::uint32_t i = 0; i < guardrails.size(); ++i) {
        auto const& row = guardrails[i];
        if (row.mode == to_text(RuleMode::kOff)) continue;
        auto const reach = reach_of(row.classes).all;
        auto const add = [&](std::string_view role) {
            auto& concern = concerns[role];
            concern.reach |= reach;
            if (concern.rules.empty() || concern.rules.back() != i) concern.rules.push_back(i);
        };
        if (!row.roles) {
            add("");
            continue;
        }
        for (auto const& role : *row.roles) add(role);
    }
    auto& rows = image.section(SectionId::kRoleIndex);
    for (auto const& [role, concern] : concerns) {
        rows.add_row();
        if (!role.empty()) rows.text(RoleIndexField::kRole, role);
        rows.word(RoleIndexField::kReach, concern.reach.bits());
        rows.numbers(RoleIndexField::kRules, concern.rules);
    }
}

void write_actors(ImageWriter& image, const std::vector<ActorRow>& actors) {
    using F = ActorField;
    auto& rows = image.section(SectionId::kActors);
    for (auto const& actor : actors) {
        rows.add_row();
        rows.text(F::kProvider, actor.provider);
        rows.text(F::kName, actor.name);
        rows.text(F::kKind, actor.kind);
        rows.text(F::kOwner, actor.owner);
        rows.text(F::kPurpose, actor.purpose);
        rows.word(F::kPooled, actor.pooled ? 1 : 0);
        rows.word(F::kExpiresAt, or_else(actor.expires_at, kUnlimited));
    }
}

void write_locks(ImageWriter& image, const std::vector<LockRow>& locks) {
    using F = LockField;
    auto& rows = image.section(SectionId::kLockedActors);
    for (auto const& lock : locks) {
        rows.add_row();
        rows.text(F::kName, lock.name);
        rows.text(F::kReason, lock.reason);
        rows.word(F::kUntil, or_else(lock.until, kUnlimited));
        rows.word(F::kOwned, lock.owned ? 1 : 0);
        rows.text(F::kLockedBy, lock.locked_by);
        rows.word(F::kLockedAt, static_cast<std::uint64_t>(lock.locked_at));
    }
}

void write_grants(ImageWriter& image, const std::vector<Grant>& grants) {
    using F = GrantField;
    auto& rows = image.section(SectionId::kGrants);
    for (auto const& grant : grants) {
        rows.add_row();
        rows.word(F::kId, static_cast<std::uint64_t>(grant.id));
        rows.word(F::kRequest, or_else(grant.request, 0));
        rows.text(F::kProvider, grant.provider);
        rows.text(F::kActor, grant.actor);
        rows.text(F::kRole, grant.role);
        rows.text(F::kMember, grant.member);
        rows.word(F::kMade, grant.made ? 1 : 0);
        rows.texts(F::kClasses, grant.classes);
        rows.texts(F::kObjects, grant.objects);
        rows.texts(F::kUnmask, grant.unmask);
        rows.text(F::kDatabase, grant.database);
        rows.word(F::kSession, grant.session ? base::parse_session(*grant.session).value_or(0) : 0);
        rows.word(F::kValidUntil, or_else(grant.valid_until, kUnlimited));
        rows.texts(F::kDecidedBy, grant.decided_by);
        rows.word(F::kValidFrom, static_cast<std::uint64_t>(grant.valid_from));
        rows.word(F::kBreakGlass, grant.break_glass ? 1 : 0);
    }
}

std::string label_of(const Guardrail& row) {
    return "guardrail \"" + row.name + "\"";
}

std::string label_of(const ActorRow& row) {
    return "actor \"" + row.name + "\"";
}

std::string label_of(const LockRow& row) {
    return "locked actor \"" + row.name + "\"";
}

std::string label_of(const Grant& row) {
    return "grant " + std::to_string(row.id);
}

void write_data_classes(ImageWriter& image, const std::vector<DataClassRow>& classes) {
    using F = DataClassField;
    auto& rows = image.section(SectionId::kDataClasses);
    for (auto const& one : classes) {
        rows.add_row();
        rows.text(F::kName, one.name);
        rows.text(F::kMethod, one.method);
        rows.text(F::kDescription, one.description);
        rows.word(F::kBuiltIn, one.built_in ? 1 : 0);
    }
}

void write_mask_policies(ImageWriter& image, const std::vector<MaskPolicyRow>& policies) {
    using F = MaskPolicyField;
    auto& rows = image.section(SectionId::kMaskPolicies);
    for (auto const& one : policies) {
        rows.add_row();
        rows.text(F::kDataClass, one.data_class);
        rows.text(F::kMethod, one.method);
        rows.texts(F::kRoles, one.roles);
        rows.texts(F::kExceptRoles, one.except_roles);
        rows.texts(F::kDatabases, one.databases);
        rows.texts(F::kObjects, one.objects);
        rows.word(F::kRank, static_cast<std::uint64_t>(one.rank));
    }
}

std::string label_of(const DataClassRow& row) {
    return "data class \"" + row.name + "\"";
}

std::string label_of(const MaskPolicyRow& row) {
    return "mask policy of \"" + row.data_class + "\"";
}

std::string label_of(const Provider& row) {
    return "provider \"" + row.name + "\"";
}

std::string label_of(const RoleMap& row) {
    return "role_map of provider \"" + row.provider + "\"";
}

template <class Row>
base::Status check_rows(const std::vector<Row>& rows) {
    for (auto const& row : rows)
        if (auto const objection = object_to(row))
            return base::fail(label_of(row) + " is not valid: column \"" + objection->column + "\" is \"" +
                              objection->value + "\", allowed: " + objection->allowed);
    return {};
}

}  // namespace

base::Result<base::Bytes> compile(const Tables& tables, std::uint64_t generation, std::uint64_t system_identifier,
                                  std::uint64_t created_at) {
    if (auto status = check_rows(tables.guardrails); !status) return status.error();
    if (auto status = check_rows(tables.actors); !status) return status.error();
    if (auto status = check_rows(tables.grants); !status) return status.error();
    if (auto status = check_rows(tables.locks); !status) return status.error();
    if (auto status = check_rows(tables.data_classes); !status) return status.error();
    if (auto status = check_rows(tables.mask_policies); !status) return status.error();
    if (auto status = check_rows(tables.providers); !status) return status.error();
    if (auto status = check_rows(tables.role_maps); !status) return status.error();

    auto guardrails = tables.guardrails;
    std::ranges::sort(guardrails, {}, &Guardrail::name);
    auto actors = tables.actors;
    std::ranges::sort(actors, {}, [](const ActorRow& row) { return std::tie(row.name, row.provider); });
    auto grants = tables.grants;
    std::ranges::sort(grants, {}, &Grant::id);

    auto locks = tables.locks;
    std::ranges::sort(locks, {}, &LockRow::name);

    auto classes = tables.data_classes;
    std::ranges::sort(classes, {}, &DataClassRow::name);
    auto masks = tables.mask_policies;
    std::ranges::sort(masks, {}, [](const MaskPolicyRow& row) {
        return std::tie(row.data_class, row.rank, row.roles, row.databases, row.objects);
    });

    ImageWriter image;
    auto& facts = image.section(SectionId::kFacts);
    facts.add_row();
    facts.text(PolicyFactField::kDatabase, tables.database);
    auto& rows = image.section(SectionId::kGuardrails);
    for (auto const& row : guardrails) write_guardrail(rows, row);
    write_role_index(image, guardrails);
    write_actors(image, actors);
    write_locks(image, locks);
    write_grants(image, grants);
    write_data_classes(image, classes);
    write_mask_policies(image, masks);
    write_providers(image, tables.providers);
    write_role_maps(image, tables.role_maps);
    return image.finish(generation, system_identifier, created_at);
}

}  // namespace hoopguard::policy
