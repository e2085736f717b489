// Showing bound values: the common types by hand, the rest by their output functions.
#include "record/parameters_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/redaction_settings.hpp"
#include "pg/settings.hpp"
#include "record/open_statements.hpp"
#include "record/session_writer_pg.hpp"

#include <charconv>

extern "C" {
#include "access/detoast.h"
#include "utils/lsyscache.h"
}

namespace hoopguard::record {

namespace {

constexpr std::size_t kLongestValue = 8192;
constexpr std::size_t kBeyondCut = 512;  // looked at behind the cut, for what goes across it
constexpr std::size_t kShortestCard = 13;
constexpr std::size_t kLongestValues = std::size_t{1} << 20;
// A value this large is not turned into text at all where that would take its size again.
constexpr std::size_t kLargestShown = std::size_t{256} << 10;

struct Value {
    Oid type = InvalidOid;
    Datum datum = 0;
    bool is_null = true;
    bool hidden = false;
    bool sensitive = false;
};

class ValueWriter {
 public:
    // With `tokens`, what is sensitive becomes tokens.
    ValueWriter(CborWriter& cbor, const Tokens* tokens) : cbor_(cbor), tokens_(tokens) {}
    bool any_redacted() const noexcept { return any_redacted_; }

    void add(const Value& value) {
        if (value.is_null) {
            begin(value.type, false);
            cbor_.null();
        } else if (value.hidden) {
            put(value.type, kSecretMark, kSecretMark.size());
        } else {
            sensitive_ = value.sensitive;
            if (!add_simple(value)) add_by_output(value);
        }
    }

 private:
    void begin(Oid type, bool cut) {
        cbor_.array(cut ? 3 : 2);
        cbor_.unsigned_number(type);
    }
    // `shown` is the value's text or the beginning of it; `length` the whole text's.
    [[gnu::hot]] void put(Oid type, std::string_view shown, std::size_t length) {
        std::size_t const room = kLongestValues - std::min(used_, kLongestValues);
        std::string_view const kept = cut_text(shown, std::min(kLongestValue, room));
        used_ += kept.size();
        begin(type, kept.size() < length);
        cbor_.text(kept);
        if (kept.size() < length) cbor_.unsigned_number(length);
    }
    void put_text(Oid type, std::string_view text) {
        std::string_view const looked_at = cut_text(text, kLongestValue + kBeyondCut);
        Replacements replaced;
        if (may_hold_secret(looked_at))
            for (const SecretSpan& span : find_value_secrets(looked_at))
                replaced.push_back({span.begin, span.end, std::string(kSecretMark)});
        if (tokens_ != nullptr) {
            // The token of a value is that of all of it, however long.
            Replacements const redacted = redact_value(sensitive_ ? text : looked_at, sensitive_, *tokens_);
            any_redacted_ = any_redacted_ || !redacted.empty();
            replaced = merged(replaced, redacted);
        }
        if (replaced.empty()) {
            put(type, text, text.size());
            return;
        }
        std::string const cleaned = with_replacements(sensitive_ ? text : looked_at, replaced);
        put(type, cleaned, cleaned.size() + (sensitive_ ? 0 : text.size() - looked_at.size()));
    }
    template <typename Number>
    void put_number(Oid type, Number number) {
        char digits[24];
        auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        std::string_view const text(digits, static_cast<std::size_t>(end - digits));
        // Shorter numbers than card numbers have no shape of their own.
        if (tokens_ != nullptr && (sensitive_ || text.size() >= kShortestCard))
            put_text(type, text);
        else
            put(type, text, text.size());
    }

    // Types whose text can be had without calling anything. False for others.
    [[gnu::hot]] bool add_simple(const Value& value) {
        switch (value.type) {
            case INT2OID: put_number(value.type, DatumGetInt16(value.datum)); return true;
            case INT4OID: put_number(value.type, DatumGetInt32(value.datum)); return true;
            case INT8OID: put_number(value.type, DatumGetInt64(value.datum)); return true;
            case OIDOID: put_number(value.type, DatumGetObjectId(value.datum)); return true;
            case BOOLOID: put(value.type, DatumGetBool(value.datum) ? "t" : "f", 1); return true;
            case UNKNOWNOID:
            case CSTRINGOID: put_text(value.type, DatumGetCString(value.datum)); return true;
            case TEXTOID:
            case VARCHAROID:
            case BPCHAROID:
            case JSONOID: {
                auto* const varlena = reinterpret_cast<struct varlena*>(DatumGetPointer(value.datum));
                if (VARATT_IS_EXTENDED(varlena) && !VARATT_IS_SHORT(varlena)) return false;
                put_text(value.type, {VARDATA_ANY(varlena), VARSIZE_ANY_EXHDR(varlena)});
                return true;
            }
            default: return false;
        }
    }

    void add_by_output(const Value& value) {
        struct Shown {
            char* text;
            std::size_t length;
        };
        auto const shown = pg::call([&value] {
            Oid output;
            bool varlena;
            getTypeOutputInfo(value.type, &output, &varlena);
            std::size_t const size = varlena ? toast_raw_datum_size(value.datum) : 0;
            if (size > kLargestShown) return Shown{nullptr, size};
            char* const text = OidOutputFunctionCall(output, value.datum);
            return Shown{text, strlen(text)};
        });
        if (shown.text == nullptr) {
            put(value.type, {}, shown.length);
            return;
        }
        put_text(value.type, {shown.text, shown.length});
        pg::call([&shown] { pfree(shown.text); });
    }

    CborWriter& cbor_;
    const Tokens* tokens_;
    std::size_t used_ = 0;
    bool sensitive_ = false;  // the value at hand
    bool any_redacted_ = false;
};

// The variables of a PL/pgSQL function that a statement of it uses. Fetching is what copyParamList() does.
PlainSequence<Value, 16> variables;

[[gnu::noinline]] void fetch_variables(ParamListInfo parameters, const StatementText& text,
                                       const SensitiveParts& parts) {
    variables.cut(0);
    for (int number = 1; number <= parameters->numParams; ++number) {
        auto const fetched = pg::call([=] {
            ParamExternData workspace;
            return *parameters->paramFetch(parameters, number, true, &workspace);
        });
        if (!OidIsValid(fetched.ptype)) continue;
        variables.reserve_one();
        variables.push({fetched.ptype, fetched.value, fetched.isnull, text.hides_variables(),
                        parts.has_parameter(static_cast<unsigned>(number))});
    }
}

Value bound_value(const ParamListInfo parameters, unsigned at, const StatementText& text,
                  const SensitiveParts& parts) {
    const ParamExternData& one = parameters->params[at];
    return {one.ptype, one.value, one.isnull || !OidIsValid(one.ptype),
            text.has_secrets() && text.hides_parameter(at + 1), parts.has_parameter(at + 1)};
}

// Whether anything was redacted.
[[gnu::hot]] bool write_values(CborWriter& cbor, ParamListInfo parameters, const StatementText& text,
                               const SensitiveParts& parts, const Tokens* tokens) {
    ValueWriter writer(cbor, tokens);
    if (parameters->paramFetch != nullptr)
        for (std::size_t at = 0; at < variables.size(); ++at) writer.add(variables[at]);
    else
        for (int at = 0; at < parameters->numParams; ++at)
            writer.add(bound_value(parameters, static_cast<unsigned>(at), text, parts));
    return writer.any_redacted();
}

}  // namespace

[[gnu::hot]] RecordedParameters add_parameters(EntryWriter& entry, ParamListInfo parameters,
                                               const StatementText& text, const SensitiveParts& parts) {
    RecordedParameters recorded;
    if (!pg::settings.journal_parameters || parameters->numParams <= 0) return recorded;
    auto count = static_cast<std::size_t>(parameters->numParams);
    if (parameters->paramFetch != nullptr) {
        fetch_variables(parameters, text, parts);
        count = variables.size();
        if (count == 0) return recorded;
    }
    const Tokens* const used = pg::redaction_settings.redact ? &tokens() : nullptr;
    if (!write_values(entry.add_array(Field::kParameters, count), parameters, text, parts, used)) return recorded;
    CborWriter exact(recorded.exact);
    exact.array(count);
    write_values(exact, parameters, text, parts, nullptr);
    exact.trim();
    return recorded;
}

}  // namespace hoopguard::record
