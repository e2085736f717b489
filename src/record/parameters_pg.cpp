// Showing bound values: the common types by hand, the rest by their output functions.
#include "record/parameters_pg.hpp"

#include "pg/boundary.hpp"
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
constexpr std::size_t kLongestValues = std::size_t{1} << 20;
// A value this large is not turned into text at all where that would take its size again.
constexpr std::size_t kLargestShown = std::size_t{256} << 10;

struct Value {
    Oid type = InvalidOid;
    Datum datum = 0;
    bool is_null = true;
    bool hidden = false;
};

class ValueWriter {
 public:
    explicit ValueWriter(CborWriter& cbor) : cbor_(cbor) {}

    void add(const Value& value) {
        if (value.is_null) {
            begin(value.type, false);
            cbor_.null();
        } else if (value.hidden) {
            put(value.type, kSecretMark, kSecretMark.size());
        } else if (!add_simple(value)) {
            add_by_output(value);
        }
    }

 private:
    void begin(Oid type, bool cut) {
        cbor_.array(cut ? 3 : 2);
        cbor_.unsigned_number(type);
    }
    // `shown` is the value's text or the beginning of it; `length` the whole text's.
    void put(Oid type, std::string_view shown, std::size_t length) {
        std::size_t const room = kLongestValues - std::min(used_, kLongestValues);
        std::string_view const kept = cut_text(shown, std::min(kLongestValue, room));
        used_ += kept.size();
        begin(type, kept.size() < length);
        cbor_.text(kept);
        if (kept.size() < length) cbor_.unsigned_number(length);
    }
    void put_text(Oid type, std::string_view text) {
        if (!may_hold_secret(text.substr(0, kLongestValue))) {
            put(type, text, text.size());
            return;
        }
        std::string_view const kept = cut_text(text, kLongestValue);
        std::string const cleaned = without_spans(kept, find_value_secrets(kept));
        put(type, cleaned, cleaned.size() + (text.size() - kept.size()));
    }
    template <typename Number>
    void put_number(Oid type, Number number) {
        char digits[24];
        auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        put(type, {digits, static_cast<std::size_t>(end - digits)}, static_cast<std::size_t>(end - digits));
    }

    // Types whose text can be had without calling anything. False for others.
    bool add_simple(const Value& value) {
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
    std::size_t used_ = 0;
};

// The variables of a PL/pgSQL function that a statement of it uses. Fetching is what copyParamList() does.
PlainSequence<Value, 16> variables;

void fetch_variables(ParamListInfo parameters) {
    variables.cut(0);
    for (int number = 1; number <= parameters->numParams; ++number) {
        auto const fetched = pg::call([=] {
            ParamExternData workspace;
            return *parameters->paramFetch(parameters, number, true, &workspace);
        });
        if (!OidIsValid(fetched.ptype)) continue;
        variables.reserve_one();
        variables.push({fetched.ptype, fetched.value, fetched.isnull, false});
    }
}

}  // namespace

void add_parameters(EntryWriter& entry, ParamListInfo parameters, const StatementText& text) {
    if (!pg::settings.journal_parameters || parameters->numParams <= 0) return;
    if (parameters->paramFetch == nullptr) {
        auto const count = static_cast<unsigned>(parameters->numParams);
        ValueWriter writer(entry.add_array(Field::kParameters, count));
        for (unsigned at = 0; at < count; ++at) {
            const ParamExternData& one = parameters->params[at];
            bool const absent = one.isnull || !OidIsValid(one.ptype);
            writer.add({one.ptype, one.value, absent, text.has_secrets() && text.hides_parameter(at + 1)});
        }
        return;
    }
    fetch_variables(parameters);
    if (variables.empty()) return;
    ValueWriter writer(entry.add_array(Field::kParameters, variables.size()));
    for (std::size_t at = 0; at < variables.size(); ++at) {
        variables[at].hidden = text.hides_variables();
        writer.add(variables[at]);
    }
}

}  // namespace hoopguard::record
