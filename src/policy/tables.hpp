// Policy as its tables hold it, before it is compiled: plain values, and what may stand in each column.
#pragma once

#include "policy/providers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::policy {

// In rising strictness; the numbers are those of decide::Verdict.
enum class Action : std::uint8_t { kWarn = 1, kAsk = 2, kBlock = 3 };
enum class RuleMode : std::uint8_t { kEnforce = 0, kObserve = 1, kOff = 2 };

std::optional<Action> parse_action(std::string_view text) noexcept;
std::optional<RuleMode> parse_rule_mode(std::string_view text) noexcept;
std::string_view to_text(Action action) noexcept;
std::string_view to_text(RuleMode mode) noexcept;

// A row of hoopguard.guardrail. Intervals are microseconds.
struct Guardrail {
    std::string name;
    std::string action;
    Words classes;
    std::optional<Words> roles;
    std::optional<Words> except_roles;
    std::optional<Words> databases;
    std::optional<Words> objects;
    std::optional<std::int64_t> max_rows;
    std::optional<std::int64_t> per;
    std::optional<double> max_cost;
    std::optional<std::int64_t> max_duration;
    std::optional<std::string> schedule;
    std::optional<Words> approvers;
    std::optional<std::int64_t> min_approvals;
    std::optional<std::int64_t> wait;
    std::optional<std::string> message;
    std::string mode = "enforce";
};

// A row of hoopguard.actor.
struct ActorRow {
    std::optional<std::string> provider;  // none: a database role
    std::string name;
    std::string kind = "human";
    std::optional<std::string> owner;
    std::optional<std::string> purpose;
    bool pooled = false;
    std::optional<std::int64_t> expires_at;  // microseconds since 1970-01-01 UTC
};

// A row of hoopguard.locked_actor.
struct LockRow {
    std::string name;  // of a role or of a token's subject
    std::string reason;
    std::optional<std::int64_t> until;  // microseconds since 1970-01-01 UTC
    bool owned = true;                  // the agents that it owns too
    std::string locked_by;
    std::int64_t locked_at = 0;
};

// A row of hoopguard.jit_grant whose state is 'active'.
struct Grant {
    std::int64_t id = 0;
    std::optional<std::int64_t> request;
    std::optional<std::string> provider;  // none: a database role
    std::string actor;
    std::optional<std::string> role;    // membership of …
    std::optional<std::string> member;  // … for this role
    bool made = false;                  // the membership is the grant's own
    std::optional<Words> classes;
    std::optional<Words> objects;
    std::optional<Words> unmask;
    std::optional<std::string> database;
    std::optional<std::string> session;
    std::optional<std::int64_t> valid_until;  // microseconds since 1970-01-01 UTC
    std::optional<Words> decided_by;
    std::int64_t valid_from = 0;  // microseconds since 1970-01-01 UTC
    bool break_glass = false;
};

// A row of hoopguard.data_class.
struct DataClassRow {
    std::string name;
    std::string method = "redact";
    std::optional<std::string> description;
    bool built_in = false;
};

// A row of hoopguard.mask_policy. How methods are spelled is the mask stage's to say.
struct MaskPolicyRow {
    std::string data_class;
    std::string method;
    std::optional<Words> roles;
    std::optional<Words> except_roles;
    std::optional<Words> databases;
    std::optional<Words> objects;
    std::int64_t rank = 100;
};

// Everything that can be judged without a server; names of roles and time zones cannot.
std::optional<Objection> object_to(const Guardrail& row);
std::optional<Objection> object_to(const ActorRow& row);
std::optional<Objection> object_to(const LockRow& row);
std::optional<Objection> object_to(const Grant& row);
std::optional<Objection> object_to(const DataClassRow& row);
std::optional<Objection> object_to(const MaskPolicyRow& row);

// The whole policy of a cluster.
struct Tables {
    std::string database;  // the control database
    std::vector<Guardrail> guardrails;
    std::vector<ActorRow> actors;
    std::vector<LockRow> locks;
    std::vector<Grant> grants;  // active
    std::vector<DataClassRow> data_classes;
    std::vector<MaskPolicyRow> mask_policies;
    std::vector<Provider> providers;
    std::vector<RoleMap> role_maps;
};

}  // namespace hoopguard::policy
