// The setting hoopguard.channel holds nothing: set_config() of it returns its value unchanged, or fails.
#include "approve/channels_pg.hpp"

#include "classify/plan_walk_pg.hpp"
#include "decide/memberships_pg.hpp"
#include "identify/bearing_pg.hpp"
#include "identify/errand_pg.hpp"
#include "pg/boundary.hpp"

#include <algorithm>
#include <string_view>

extern "C" {
#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
}

namespace hoopguard::approve {

namespace {

constexpr std::string_view kPrefix = "hoopguard_";
constexpr const char* kSetting = "hoopguard.channel";

char* channel_setting = nullptr;

bool is_own(const char* channel) noexcept {
    return channel != nullptr && std::string_view(channel).starts_with(kPrefix);
}

Const* text_constant(const char* text) {
    return makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(text), false, false);
}

Node* checked(Node* channel) {
    auto* const arguments = list_make3(text_constant(kSetting), channel, makeBoolConst(true, false));
    return reinterpret_cast<Node*>(makeFuncExpr(F_SET_CONFIG, TEXTOID, arguments, DEFAULT_COLLATION_OID,
                                                DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL));
}

bool is_checked(const Node* argument) {
    if (!IsA(argument, FuncExpr)) return false;
    return reinterpret_cast<const FuncExpr*>(argument)->funcid == F_SET_CONFIG;
}

}  // namespace

bool may_use_channels() {
    if (pg::call([] { return superuser_arg(identify::authenticated_role()); })) return true;
    auto const held = decide::memberships(identify::speaking_role());
    return std::ranges::any_of(held, [](const std::string& role) {
        return role == "hoopguard_approver" || role == "hoopguard_auditor" || role == "hoopguard_admin";
    });
}

[[gnu::hot]] bool uses_channel(const classify::Statement& statement) {
    if (statement.is_fastpath()) return statement.function == F_PG_NOTIFY;
    if (!statement.is_utility()) return false;
    auto const* const command = statement.plan->utilityStmt;
    if (IsA(command, ListenStmt)) return is_own(reinterpret_cast<const ListenStmt*>(command)->conditionname);
    if (IsA(command, NotifyStmt)) return is_own(reinterpret_cast<const NotifyStmt*>(command)->conditionname);
    return false;
}

[[gnu::noinline]] void guard_notifications(const PlannedStmt* plan) {
    if (plan->commandType == CMD_UTILITY) return;
    classify::PlanFacts facts;
    classify::gather(plan, facts);
    ListCell* cell;
    foreach (cell, facts.setting_calls) {
        auto* const call = static_cast<FuncExpr*>(lfirst(cell));
        if (call->funcid != F_PG_NOTIFY) continue;
        auto* const channel = static_cast<Node*>(linitial(call->args));
        if (!is_checked(channel)) linitial(call->args) = checked(channel);
    }
}

extern "C" {

static bool hoopguard_check_channel(char** value, void**, GucSource) {
    if (!is_own(*value) || !IsTransactionState()) return true;
    bool const may = pg::entry(pg::Door::kGate, "channel", [] { return may_use_channels(); });
    if (may) return true;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for channel \"%s\"", *value),
             errhint("Channels of hoopguard are for members of hoopguard_approver, hoopguard_auditor and "
                     "hoopguard_admin.")));
    return false;
}

}  // extern "C"

void define_channel_setting() {
    DefineCustomStringVariable(kSetting, "Checks the channel that pg_notify() is called with.", nullptr,
                               &channel_setting, "", PGC_USERSET,
                               GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, hoopguard_check_channel,
                               nullptr, nullptr);
}

}  // namespace hoopguard::approve
