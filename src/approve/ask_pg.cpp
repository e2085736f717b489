// One request's way: filed, waited for, used. The broker decides what is; this only asks it and words the answer.
#include "approve/ask_pg.hpp"

#include "approve/binding_pg.hpp"
#include "approve/hindrance_pg.hpp"
#include "approve/speaker_pg.hpp"
#include "approve/waiting_pg.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/mailbox_pg.hpp"

extern "C" {
#include "utils/ps_status.h"
#include "utils/timestamp.h"
}

namespace hoopguard::approve {

namespace {

constexpr const char* kWaits = "HG001";
constexpr const char* kRefused = "HG002";

std::string text_of(const base::Json& json, const char* name) {
    auto const* const member = json.member(name);
    return member != nullptr && member->text() != nullptr ? from_utf8(*member->text()) : std::string();
}

std::uint64_t number_of(const base::Json& json, const char* name) {
    auto const* const member = json.member(name);
    return member != nullptr && member->number() != nullptr ? *member->number() : 0;
}

std::vector<std::string> texts_of(const base::Json* json) {
    std::vector<std::string> texts;
    if (json == nullptr || json->array() == nullptr) return texts;
    for (auto const& one : *json->array())
        if (one.text() != nullptr) texts.push_back(from_utf8(*one.text()));
    return texts;
}

base::Json send(policy::Errand errand, const base::JsonWriter& letter) {
    auto parsed = base::Json::parse(policy::ask_broker(errand, letter.object()));
    return parsed ? std::move(*parsed) : base::Json();
}

void read_answer(Answer& answer, const base::Json& state) {
    answer.request = number_of(state, "request");
    answer.decided_by = texts_of(state.member("decided_by"));
    // Only whoever spent the approval is told with which roles it was given.
    auto const* const voters = state.member("voters");
    answer.approved = text_of(state, "state") == "used" && voters != nullptr;
    if (answer.approved && voters->array() != nullptr)
        for (auto const& one : *voters->array()) answer.voters.push_back(texts_of(&one));
}

// Why it may not run, and what to do about that.
void word_refusal(Answer& answer, const std::string& state, const std::string& comment) {
    auto const id = std::to_string(answer.request);
    answer.sqlstate = kRefused;
    answer.detail = comment;
    answer.hint = "Sent again, it is asked for anew.";
    if (state == "pending") {
        answer.sqlstate = kWaits;
        answer.message = "request " + id + " waits for a decision";
        answer.detail = "Request " + id + " waits for a decision.";
        answer.hint =
            "SELECT hoopguard.wait_for_decision(" + id + "); once it is approved, send the same statement again.";
    } else if (state == "approved") {
        answer.message = "request " + id + " was approved for something else";
        answer.detail = "What the statement would do has changed since it was asked for.";
    } else if (state == "rejected") {
        auto const by = answer.decided_by.empty() ? std::string() : " by " + answer.decided_by.back();
        answer.message = "request " + id + " was rejected" + by;
        answer.hint += " Change it, or say why in hoopguard.reason.";
    } else {
        answer.message = "request " + id +
                         (state == "used"      ? " has been used already"
                          : state == "expired" ? " has expired"
                                               : " was " + state);
    }
}

// The request of one statement, from its filing to its end.
class Request {
 public:
    Request(const classify::Statement& statement, const identify::Actor& actor, const identify::Session& session,
            const classify::Footprint& footprint)
        : statement_(statement), actor_(actor), session_(session), footprint_(footprint) {}

    void file(const decide::Decision& decision, const Wording& wording);
    void claim();
    bool pending() const { return text_of(state_, "state") == "pending"; }
    std::uint64_t number() const { return number_of(state_, "request"); }
    Answer answer(const decide::Decision& decision, const char* hindrance) const;

 private:
    base::JsonWriter letter() const {
        base::JsonWriter letter;
        letter.json("speaker", speaker_json(actor_, session_));
        letter.text("digest", binding_of(statement_, actor_, session_, footprint_));
        return letter;
    }

    const classify::Statement& statement_;
    const identify::Actor& actor_;
    const identify::Session& session_;
    const classify::Footprint& footprint_;
    base::Json state_;
};

void Request::file(const decide::Decision& decision, const Wording& wording) {
    auto filed = letter();
    filed.text("kind", "statement");
    filed.text("statement", to_utf8(wording.text));
    auto const parameters = parameters_json(statement_.parameters, wording.hides_values);
    if (!parameters.empty()) filed.json("parameters", parameters);
    auto const shown =
        wording.hides_values ? parameters : parameters_json(statement_.parameters, wording.shown_value);
    if (wording.sensitive || wording.shown != wording.text || shown != parameters) {
        filed.text("shown_statement", to_utf8(wording.shown));
        if (!shown.empty()) filed.json("shown_parameters", shown);
    }
    std::vector<std::string> objects;
    for (auto const& object : footprint_.objects)
        if (!object.implied) objects.push_back(to_utf8(object.name));
    filed.texts("classes", policy::names_of(footprint_.classes));
    filed.texts("objects", objects);
    if (statement_.query != nullptr) {
        filed.json("estimated_rows", std::to_string(footprint_.estimated_rows));
        filed.text("plan", to_utf8(plan_text(statement_.query)));
    }
    filed.text("guardrail", to_utf8(decision.guardrail));
    std::vector<std::string> approvers;
    approvers.reserve(decision.approvers.size());
    for (auto const& approver : decision.approvers) approvers.push_back(to_utf8(approver));
    filed.texts("approvers", approvers);
    filed.number("min_approvals", decision.min_approvals);
    filed.text_if_any("request_id", to_utf8(wording.request_id));
    filed.text_if_any("reason", to_utf8(wording.reason));
    state_ = send(policy::Errand::kFile, filed);
}

// The digest is made anew: what was approved is not what runs when a function has changed meanwhile.
void Request::claim() {
    auto claimed = letter();
    claimed.number("request", number());
    state_ = send(policy::Errand::kClaim, claimed);
}

Answer Request::answer(const decide::Decision& decision, const char* hindrance) const {
    Answer answer;
    read_answer(answer, state_);
    if (answer.approved) return answer;
    word_refusal(answer, text_of(state_, "state"), text_of(state_, "comment"));
    if (answer.sqlstate == kWaits) {
        answer.message = decision.message;
        answer.detail += hindrance;
    }
    return answer;
}

TimestampTz deadline_of(const decide::Decision& decision) {
    auto const wait = decision.wait ? *decision.wait : std::int64_t{pg::settings.approval_wait} * 1000;
    return GetCurrentTimestamp() + wait;
}

void show_waiting(std::uint64_t number) {
    pg::call([number] {
        set_ps_display(number != 0 ? psprintf("waiting for approval %llu", static_cast<unsigned long long>(number))
                                   : "active");
    });
}

// Waits in place as long as it may. Returns what kept it from waiting, to stand in a sentence.
const char* wait(Request& request, const decide::Decision& decision) {
    auto const deadline = deadline_of(decision);
    if (deadline <= GetCurrentTimestamp()) return "";
    if (decision.late || hinders_others())
        return " It cannot wait in place, because its transaction holds locks or has changed something.";
    Waiting waiting(request.number(), true);
    if (!waiting.admitted()) return " Too many statements wait in place already.";
    show_waiting(request.number());
    // First the place, then the look: what is decided in between wakes.
    request.claim();
    while (request.pending() && waiting.wait_until(deadline)) request.claim();
    show_waiting(0);
    return "";
}

Answer fault(const pg::Refusal& refusal) {
    auto const text = [](const char* one) { return std::string(one != nullptr ? one : ""); };
    Answer answer;
    answer.sqlstate = unpack_sql_state(refusal.sqlstate());
    answer.message = text(refusal.what());
    answer.detail = text(refusal.detail());
    answer.hint = text(refusal.hint());
    return answer;
}

}  // namespace

Answer ask(const classify::Statement& statement, const identify::Actor& actor, const identify::Session& session,
           const classify::Footprint& footprint, const decide::Decision& decision, const Wording& wording) {
    if (statement.is_fastpath()) {
        Answer answer;
        answer.sqlstate = "42501";
        answer.message = decision.message;
        answer.detail =
            "A function called by the fast-path protocol cannot be asked about: its arguments are not known.";
        answer.hint = "Call it in a SELECT.";
        return answer;
    }
    try {
        Request request(statement, actor, session, footprint);
        request.file(decision, wording);
        const char* const hindrance = request.pending() ? wait(request, decision) : "";
        return request.answer(decision, hindrance);
    } catch (const pg::Refusal& refusal) {
        return fault(refusal);
    }
}

Answer use_script(std::uint64_t request, const identify::Actor& actor, const identify::Session& session) {
    base::JsonWriter letter;
    letter.json("speaker", speaker_json(actor, session));
    letter.number("request", request);
    auto const found = send(policy::Errand::kLook, letter);
    auto const script = text_of(found, "script");
    if (script.empty())
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                          pg::format("request %llu is no script", static_cast<unsigned long long>(request)),
                          nullptr, "A statement that was approved runs when it is sent again.");
    letter.text("digest", binding_of_script(script, actor, session));
    Answer answer;
    auto const claimed = send(policy::Errand::kClaim, letter);
    read_answer(answer, claimed);
    if (!answer.approved) {
        // As it stands now: another session may have used it since it was looked at.
        word_refusal(answer, text_of(claimed, "state"), text_of(claimed, "comment"));
        throw pg::Refusal(answer.sqlstate == kWaits ? MAKE_SQLSTATE('H', 'G', '0', '0', '1')
                                                    : MAKE_SQLSTATE('H', 'G', '0', '0', '2'),
                          pg::format("%s", answer.message.c_str()),
                          answer.detail.empty() ? nullptr : pg::format("%s", answer.detail.c_str()),
                          pg::format("%s", answer.hint.c_str()));
    }
    answer.message = script;
    return answer;
}

}  // namespace hoopguard::approve
