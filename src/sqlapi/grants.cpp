// request_access(), break_glass(), revoke(): letters to the broker.
#include "approve/resting_pg.hpp"
#include "approve/speaker_pg.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "policy/mailbox_pg.hpp"
#include "policy/statement_class.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/jsonb.h"
}

#include <string>

using namespace hoopguard;

namespace {

// The letter of the first argument, a JSON object, with who sends it.
std::string signed_letter(FunctionCallInfo fcinfo) {
    auto const* const given = pg::call([fcinfo] {
        Jsonb* const value = PG_GETARG_JSONB_P(0);
        return JsonbToCString(nullptr, &value->root, VARSIZE(value));
    });
    base::JsonWriter letter;
    letter.json("speaker", approve::speaker_json(identify::current_actor(), identify::known_session()));
    letter.text_if_any("request_id", approve::to_utf8(pg::settings.request_id));
    std::string object = letter.object();
    auto const members = approve::to_utf8(given);
    auto const parsed = base::Json::parse(members);
    if (!parsed || parsed->object() == nullptr || parsed->member("speaker") != nullptr)
        pg::bad_argument("letter", given, "a JSON object without a speaker");
    // What is set for the session says why when the call does not.
    if (parsed->member("reason") == nullptr && pg::settings.reason[0] != '\0') {
        letter.text("reason", approve::to_utf8(pg::settings.reason));
        object = letter.object();
    }
    if (parsed->object()->empty()) return object;
    object.back() = ',';
    return object + members.substr(members.find('{') + 1);
}

std::int64_t number(const std::string& answer, const char* name) {
    auto const parsed = base::Json::parse(answer);
    auto const* const value = parsed ? parsed->member(name) : nullptr;
    if (value == nullptr || value->number() == nullptr)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the hoopguard broker gave no number");
    return static_cast<std::int64_t>(*value->number());
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_ask_access) {
    return Int64GetDatum(number(policy::ask_broker(policy::Errand::kAskAccess, signed_letter(fcinfo)), "request"));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_ask_break_glass) {
    return Int64GetDatum(number(policy::ask_broker(policy::Errand::kBreakGlass, signed_letter(fcinfo)), "grant"));
}

HOOPGUARD_SQL_FUNCTION(hoopguard_revoke) {
    if (PG_ARGISNULL(0)) pg::bad_argument("grant_id", "NULL", "the number of a grant");
    auto const id = PG_GETARG_INT64(0);
    if (id <= 0)
        pg::bad_argument("grant_id", pg::format("%lld", static_cast<long long>(id)), "the number of a grant");
    base::JsonWriter letter;
    letter.json("speaker", approve::speaker_json(identify::current_actor(), identify::known_session()));
    letter.number("grant", id);
    if (!PG_ARGISNULL(1))
        letter.text_if_any("comment",
                           approve::to_utf8(pg::call([fcinfo] { return text_to_cstring(PG_GETARG_TEXT_PP(1)); })));
    approve::let_go(static_cast<std::uint64_t>(id));
    auto const answer = base::Json::parse(policy::ask_broker(policy::Errand::kRevoke, letter.object()));
    auto const* const state = answer ? answer->member("state") : nullptr;
    if (state == nullptr || state->text() == nullptr)
        throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the hoopguard broker gave no state");
    return pg::call([state] { return PointerGetDatum(cstring_to_text(state->text()->c_str())); });
}

HOOPGUARD_SQL_FUNCTION(hoopguard_check_classes) {
    struct Words {
        char** texts;
        int count;
    };
    if (PG_ARGISNULL(0)) return Datum{0};
    auto const words = pg::call([fcinfo] {
        Datum* values;
        bool* nulls;
        int count;
        deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
        auto** texts = static_cast<char**>(palloc(sizeof(char*) * static_cast<std::size_t>(count + 1)));
        for (int i = 0; i < count; ++i) texts[i] = nulls[i] ? pstrdup("") : TextDatumGetCString(values[i]);
        return Words{texts, count};
    });
    auto const allowed = pg::format("%s", policy::allowed_classes().c_str());
    if (words.count == 0) pg::bad_argument("classes", "{}", allowed);
    for (int i = 0; i < words.count; ++i)
        if (!policy::parse_class_term(words.texts[i])) pg::bad_argument("classes", words.texts[i], allowed);
    return Datum{0};
}
