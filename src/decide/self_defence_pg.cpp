// A superuser who is no agent may do all of this; PostgreSQL itself keeps most of it from the others.
#include "decide/self_defence_pg.hpp"

#include "classify/own_files_pg.hpp"
#include "pg/boundary.hpp"
#include "policy/in_force_pg.hpp"

extern "C" {
#include "utils/acl.h"
}

namespace hoopguard::decide {

namespace {

using policy::ActorField;
using policy::ClassSet;
using policy::SectionId;
using policy::StatementClass;

constexpr ClassSet kRows = ClassSet(StatementClass::kRead) | StatementClass::kReadSensitive |
                           StatementClass::kWriteInsert | StatementClass::kWriteUpdate |
                           StatementClass::kWriteDelete | StatementClass::kWriteMerge |
                           StatementClass::kWriteUnbounded | StatementClass::kPolicy;
constexpr ClassSet kTouchy =
    policy::kEveryClass - (kRows - StatementClass::kPolicy) - StatementClass::kCode - StatementClass::kSession;

// The subtransaction in which the files of the statement that is being set up were looked at and lie elsewhere: an
// error ends it. 0: none.
SubTransactionId files_are_elsewhere = InvalidSubTransactionId;

bool own_deed = false;

bool is_agent(const policy::Section& actors, Oid role) {
    auto const* const name = pg::call([role] { return GetUserNameFromId(role, true); });
    if (name == nullptr) return false;
    for (std::uint32_t i = 0; i < actors.size(); ++i)
        if (actors[i].is_null(ActorField::kProvider) && actors[i].text(ActorField::kName) == name &&
            actors[i].text(ActorField::kKind) == "agent")
            return true;
    return false;
}

bool is_guarded(const identify::Actor& actor) {
    if (actor.guarded) return true;
    const policy::Image* const image = policy::in_force_or_none();
    if (image == nullptr) return false;
    auto const actors = image->section(SectionId::kActors);
    return is_agent(actors, actor.login_role) || is_agent(actors, actor.effective_role);
}

bool may_do_anything(const identify::Actor& actor, bool guarded) {
    return !guarded &&
           pg::call([&actor] { return superuser_arg(actor.login_role) && superuser_arg(actor.effective_role); });
}

bool is_own(const classify::ObjectName& object) {
    return object.name.starts_with("hoopguard.") ||
           (object.name == "hoopguard" && (object.kind == "schema" || object.kind == "extension"));
}

// What would change or hold up an object of hoopguard's beyond its rows.
const classify::ObjectName* touched(const classify::Footprint& footprint) {
    for (auto const& object : footprint.objects)
        if (is_own(object) && !(object.classes - kRows).empty()) return &object;
    return nullptr;
}

bool decides_what_is_loaded(const char* name) {
    if (name == nullptr) return false;
    for (const char* const one : {"shared_preload_libraries", "session_preload_libraries",
                                  "local_preload_libraries", "dynamic_library_path"})
        if (pg_strcasecmp(name, one) == 0) return true;
    return pg_strncasecmp(name, "hoopguard.", strlen("hoopguard.")) == 0 &&
           pg_strcasecmp(name, "hoopguard.request_id") != 0 && pg_strcasecmp(name, "hoopguard.reason") != 0;
}

// A stored setting that hoopguard rests on.
const char* stored_setting(const Node* node) {
    const VariableSetStmt* set = nullptr;
    if (IsA(node, AlterSystemStmt)) set = reinterpret_cast<const AlterSystemStmt*>(node)->setstmt;
    if (IsA(node, AlterRoleSetStmt)) set = reinterpret_cast<const AlterRoleSetStmt*>(node)->setstmt;
    if (IsA(node, AlterDatabaseSetStmt)) set = reinterpret_cast<const AlterDatabaseSetStmt*>(node)->setstmt;
    if (set == nullptr) return nullptr;
    if (set->kind == VAR_RESET_ALL) return "all settings";
    return decides_what_is_loaded(set->name) ? set->name : nullptr;
}

bool copies_own_file(const Node* node) {
    if (!IsA(node, CopyStmt)) return false;
    auto const* const copy = reinterpret_cast<const CopyStmt*>(node);
    return copy->filename != nullptr && !copy->is_program && classify::is_own_file(copy->filename);
}

bool opens_own_file(const classify::Statement& statement, const classify::Footprint& footprint) {
    if (!footprint.classes.has(StatementClass::kEgress)) return false;
    if (statement.is_fastpath()) return classify::opens_files(statement.function);
    if (statement.is_utility()) return copies_own_file(statement.plan->utilityStmt);
    auto const calls = pg::call([&statement] { return classify::file_calls(statement.plan); });
    if (calls == classify::FileCalls::kElsewhere) files_are_elsewhere = GetCurrentSubTransactionId();
    return calls == classify::FileCalls::kUnknownOrOwn;
}

// What the statement would do to hoopguard; empty: nothing.
[[gnu::noinline]] std::string offence(const classify::Statement& statement, const classify::Footprint& footprint,
                                      bool guarded) {
    if (auto const* const object = touched(footprint))
        return "a change of " + std::string(object->kind) + " " + object->name;
    if (guarded && footprint.classes.has(StatementClass::kPolicy)) return "a change of policy by an agent";
    if (statement.is_utility())
        if (auto const* const name = stored_setting(statement.plan->utilityStmt))
            return "a change of " + std::string(name);
    if (opens_own_file(statement, footprint)) return "access to files that may be the journal's";
    return {};
}

}  // namespace

[[gnu::hot]] const Decision* defend(const identify::Actor& actor, const classify::Statement& statement,
                                    const classify::Footprint& footprint) {
    static Decision decision;
    files_are_elsewhere = InvalidSubTransactionId;
    if (own_deed || !footprint.classes.meets(kTouchy)) return nullptr;
    bool const guarded = is_guarded(actor);
    if (may_do_anything(actor, guarded)) return nullptr;
    auto const found = offence(statement, footprint, guarded);
    if (found.empty()) return nullptr;
    decision = {};
    decision.verdict = Verdict::kBlock;
    decision.enforced = true;
    decision.guardrail = kSelfDefence;
    decision.message = "hoopguard does not allow this to be done to itself";
    decision.reason = found;
    decision.hint = "Superusers may, unless they are registered as agents.";
    return &decision;
}

bool must_not_open(const identify::Actor& actor) {
    bool const seen =
        files_are_elsewhere != InvalidSubTransactionId && files_are_elsewhere == GetCurrentSubTransactionId();
    if (seen) return false;
    return !may_do_anything(actor, is_guarded(actor));
}

OwnDeed::OwnDeed() noexcept {
    own_deed = true;
}

OwnDeed::~OwnDeed() {
    own_deed = false;
}

void forget_files() noexcept {
    files_are_elsewhere = InvalidSubTransactionId;
}

}  // namespace hoopguard::decide
