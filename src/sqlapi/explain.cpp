// classify() and explain(): what a statement would be and what would become of it, without running it. The same
// footprints, decisions and masks as the pipeline's.
#include "decide/decide_pg.hpp"
#include "decide/memberships_pg.hpp"
#include "identify/lock.hpp"
#include "identify/rehearsal_pg.hpp"
#include "identify/session_pg.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/foresight.hpp"
#include "sqlapi/result_set.hpp"

#include <algorithm>
#include <iterator>
#include <set>

extern "C" {
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace {

using namespace hoopguard;
using namespace hoopguard::sqlapi;
using decide::Decision;
using decide::Verdict;
using policy::ActorField;
using policy::GuardrailField;
using policy::SectionId;

template <class Names>
std::string joined(const Names& names, std::string_view none = "") {
    std::string text;
    for (auto const& name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text.empty() ? std::string(none) : text;
}

std::string whole_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", value);
    return text;
}

// Who is asked about. The texts belong to this object.
struct Subject {
    identify::Actor actor;
    std::string name;
    Oid role = InvalidOid;  // InvalidOid: the caller, as he is
    const identify::Actor* assumed() const { return OidIsValid(role) ? &actor : nullptr; }
};

// One's own roles everybody may ask about; others' hoopguard_admin and hoopguard_auditor.
bool may_ask_about(Oid role) {
    if (is_member_of_role(GetUserId(), role)) return true;
    for (const char* const name : {"hoopguard_admin", "hoopguard_auditor"}) {
        Oid const group = get_role_oid(name, true);
        if (OidIsValid(group) && is_member_of_role(GetUserId(), group)) return true;
    }
    return false;
}

Subject subject_of(const std::string& name) {
    Subject subject;
    subject.name = name;
    Oid const role = pg::call([&name] { return get_role_oid(name.c_str(), true); });
    if (!OidIsValid(role))
        pg::bad_argument("role", pg::format("\"%s\"", name.c_str()), "the name of an existing role");
    if (!pg::call([role] { return may_ask_about(role); }))
        throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
                          pg::format("you may not ask what role \"%s\" may do", name.c_str()), nullptr,
                          "Members of the role may, and those of hoopguard_admin and hoopguard_auditor.");
    if (role == GetUserId()) {
        subject.actor = identify::current_actor();
        return subject;
    }
    subject.role = role;
    subject.actor.login_role = role;
    subject.actor.effective_role = role;
    subject.actor.superuser = pg::call([role] { return superuser_arg(role); });
    return subject;
}

std::string registered_kind(const policy::Image* image, std::string_view name) {
    if (image == nullptr) return {};
    auto const actors = image->section(SectionId::kActors);
    for (std::uint32_t i = 0; i < actors.size(); ++i)
        if (actors[i].is_null(ActorField::kProvider) && actors[i].text(ActorField::kName) == name)
            return std::string(actors[i].text(ActorField::kKind));
    return {};
}

std::optional<std::string> lock_of(const policy::Image* image, const identify::Actor& actor,
                                   std::string_view name) {
    constexpr auto kEpochs = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    if (image == nullptr) return std::nullopt;
    auto const now = static_cast<std::uint64_t>(GetCurrentTimestamp() + kEpochs);
    for (auto const one : {actor.name, name})
        if (auto const lock = identify::find_lock(*image, actor.provider, one, now))
            return std::string(lock->name);
    return std::nullopt;
}

std::string verdict_of(const Decision& decision) {
    constexpr const char* kWords[] = {"allow", "warn", "ask", "block"};
    std::string word = kWords[static_cast<int>(decision.verdict)];
    return decision.enforced || decision.verdict == Verdict::kAllow ? word : word + " (observed only)";
}

// The classes that a guardrail may name by the kind of object: ddl.drop.table.
void add_narrowed(std::set<std::string>& names, const classify::ObjectName& object) {
    using enum policy::StatementClass;
    for (auto const one : {kDdlCreate, kDdlAlter, kDdlDrop})
        if (object.classes.has(one))
            names.insert(std::string(policy::name_of(one)) + "." + std::string(object.kind));
}

class Explainer {
 public:
    Explainer(FunctionCallInfo call, Subject& subject) : rows_(call), subject_(subject) {}

    void explain(const std::vector<ForeseenStatement>& statements) {
        auto const* const image = policy::in_force();
        lock_ = lock_of(image, subject_.actor, subject_.name);
        identify(image);
        for (auto const& statement : statements) explain(statement, image);
    }

 private:
    void say(const char* step, const std::optional<std::string>& about, const std::optional<std::string>& verdict,
             const std::optional<std::string>& reason = {}) {
        rows_.add_texts(step, about, verdict, reason);
    }

    void identify(const policy::Image* image) {
        auto const kind = registered_kind(image, subject_.name);
        std::string what = kind.empty() ? "not registered" : kind;
        Oid const role = subject_.actor.effective_role;
        if (pg::call([role] { return superuser_arg(role); })) what += ", superuser";
        if (lock_) what += ", locked";
        auto roles = decide::memberships(subject_.actor.effective_role);
        std::erase(roles, subject_.name);
        say("identify", subject_.name, what,
            roles.empty() ? "member of no other role" : "member of " + joined(roles));
    }

    void explain(const ForeseenStatement& statement, const policy::Image* image) {
        std::vector<Decision> decisions;
        for (auto const& act : statement.acts) decisions.push_back(decide::decide(subject_.actor, act.footprint));
        say("statement", statement.text, outcome(statement, decisions));
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            classify(statement.acts[i]);
            decide_on(decisions[i], image);
            for (auto const& mask : statement.acts[i].masks)
                say("mask", mask.column, mask.method, "data class " + mask.data_class);
            if (!statement.acts[i].no_privilege.empty())
                say("privileges", std::nullopt, "error", statement.acts[i].no_privilege);
        }
        for (auto const& what : statement.unforeseen)
            say("note", what, std::nullopt, "what it runs is judged when it runs");
    }

    // What would become of the whole: the first act that is refused ends it.
    std::string outcome(const ForeseenStatement& statement, const std::vector<Decision>& decisions) const {
        if (lock_) return "refused";
        std::string found = "runs";
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            if (decisions[i].refuses()) return decisions[i].verdict == Verdict::kAsk ? "waits" : "refused";
            if (!statement.acts[i].no_privilege.empty()) return "fails";
            if (decisions[i].warns()) found = "runs, with a warning";
        }
        return found;
    }

    void classify(const ForeseenAct& act) {
        auto const& footprint = act.footprint;
        auto const estimate = act.planned
                                  ? std::optional("estimated rows " + whole_number(footprint.estimated_rows) +
                                                  ", cost " + whole_number(footprint.cost))
                                  : std::nullopt;
        policy::ClassSet named;
        for (auto const& object : footprint.objects) {
            named |= object.classes;
            say("classify", std::string(object.kind) + " " + object.name, joined(policy::names_of(object.classes)),
                object.implied ? "through what is named" : estimate);
        }
        auto const rest = footprint.classes - named;
        if (!rest.empty() || footprint.objects.empty())
            say("classify", std::nullopt, joined(policy::names_of(rest), "no class"), estimate);
    }

    void decide_on(const Decision& decision, const policy::Image* image) {
        if (lock_) return say("decide", std::nullopt, "block", "actor \"" + *lock_ + "\" is locked");
        if (decision.verdict == Verdict::kAllow)
            return say("decide", std::nullopt, verdict_of(decision), "no guardrail meets it");
        say("decide", decision.guardrail, verdict_of(decision), decision.message + " (" + decision.reason + ")");
        if (decision.warns() && decision.warning_from != decision.guardrail)
            say("decide", decision.warning_from, "warn", decision.warning);
        if (decision.verdict == Verdict::kAsk) ask(decision, image);
    }

    void ask(const Decision& decision, const policy::Image* image) {
        auto const rules = image->section(SectionId::kGuardrails);
        for (std::uint32_t i = 0; i < rules.size(); ++i) {
            auto const rule = rules[i];
            if (rule.text(GuardrailField::kName) != decision.guardrail) continue;
            auto const count = rule.word(GuardrailField::kMinApprovals);
            say("ask", joined(rule.texts(GuardrailField::kApprovers), "hoopguard_approver"),
                std::to_string(count) + (count == 1 ? " approval" : " approvals"), "by others than who asks");
        }
    }

    ResultSet rows_;
    Subject& subject_;
    std::optional<std::string> lock_;
};

std::string text_argument(FunctionCallInfo fcinfo, int number, const char* name) {
    if (PG_ARGISNULL(number)) pg::bad_argument(name, "NULL", "a text");
    return pg::call([fcinfo, number] { return text_to_cstring(PG_GETARG_TEXT_PP(number)); });
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_explain) {
    auto const text = text_argument(fcinfo, 0, "statement");
    auto subject = subject_of(text_argument(fcinfo, 1, "role"));
    if (OidIsValid(subject.role)) subject.actor.name = subject.name;
    identify::Rehearsal const rehearsal(subject.assumed());
    auto const statements = foresee(text.c_str(), subject.role);
    Explainer(fcinfo, subject).explain(statements);
    return Datum{0};
}

HOOPGUARD_SQL_FUNCTION(hoopguard_classify) {
    auto const text = text_argument(fcinfo, 0, "statement");
    policy::ClassSet classes;
    std::set<std::string> narrower;
    {
        identify::Rehearsal const rehearsal(nullptr);
        for (auto const& statement : foresee(text.c_str(), InvalidOid))
            for (auto const& act : statement.acts) {
                classes |= act.footprint.classes;
                for (auto const& object : act.footprint.objects) add_narrowed(narrower, object);
            }
    }
    std::vector<std::string> names;
    for (auto const name : policy::names_of(classes)) {
        names.emplace_back(name);
        std::ranges::copy_if(narrower, std::back_inserter(names),
                             [&name](const std::string& one) { return one.starts_with(std::string(name) + "."); });
    }
    return pg::call([&names] { return texts_datum(names); });
}
