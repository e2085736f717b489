// Proofs from SQL: verify the journal, prove one entry, show the public key.
// All of it reads files as any third party could; nothing here has the private key.
#include "pg/report.hpp"
#include "record/proof.hpp"
#include "record/verify.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/journal_access.hpp"
#include "sqlapi/result_set.hpp"

#include "base/text.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
}

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

constexpr std::size_t kFindingsShown = 10;
constexpr std::uint64_t kMaxKeyFile = 1u << 20;

// What was found, a line each; nothing when there is nothing to say.
std::optional<std::string> detail_of(const record::OriginReport& report) {
    std::string text;
    std::size_t shown = 0;
    for (const auto* findings : {&report.problems, &report.notes}) {
        for (const record::Finding& finding : *findings) {
            if (++shown <= kFindingsShown) text += (text.empty() ? "" : "\n") + finding.text();
        }
    }
    if (shown > kFindingsShown) text += "\nand " + std::to_string(shown - kFindingsShown) + " more";
    if (text.empty()) return std::nullopt;
    return text;
}

void add_report(ResultSet& rows, const record::OriginReport& report) {
    std::string const root = base::to_base64(report.root);
    auto const detail = detail_of(report);
    struct Row {
        Datum values[6];
        bool nulls[6];
    };
    Row row = pg::call([&] {
        Row made = {};
        made.values[0] = text_datum(std::string_view(report.directory).substr(sizeof record::kOriginPrefix - 1));
        made.values[1] = Int64GetDatum(static_cast<int64>(report.size - report.first_index));
        made.values[2] = text_datum(root);
        made.values[3] = Int64GetDatum(static_cast<int64>(report.checkpoints));
        made.values[4] = BoolGetDatum(report.ok());
        if (detail) made.values[5] = text_datum(*detail);
        made.nulls[5] = !detail;
        return made;
    });
    rows.add(row.values, row.nulls);
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_verify_journal) {
    require_auditor("verify_journal");
    ResultSet rows(fcinfo);
    OpenJournal const journal = open_journal();
    record::VerifyOptions options;
    options.go_on = [] {
        breathe();
        return true;
    };
    for (const record::OriginEnd& origin : journal.origins()) {
        auto directory = journal.directory->enter(origin.directory);
        if (!directory) refuse_reading(directory.error());
        auto const report = record::verify_origin(**directory, options);
        if (!report) refuse_reading(report.error());
        add_report(rows, *report);
    }
    return 0;
}

HOOPGUARD_SQL_FUNCTION(hoopguard_inclusion_proof) {
    require_auditor("inclusion_proof");
    OpenJournal const journal = open_journal();
    auto reader = record::StreamReader::open(*journal.directory, journal.current);
    if (!reader) refuse_reading(reader.error());
    bool const null = PG_ARGISNULL(0);
    std::int64_t const entry = null ? -1 : PG_GETARG_INT64(0);
    auto const found = entry < 0 ? base::Result(std::optional<record::HeldEntry>())
                                 : (*reader)->at_index(static_cast<std::uint64_t>(entry));
    if (!found) refuse_reading(found.error());
    if (!*found)
        pg::bad_argument("entry", null ? "NULL" : pg::format("%lld", static_cast<long long>(entry)),
                         "the number of an entry of this server's journal, as hoopguard.statement shows it");
    auto const proof = record::prove_entry(**reader, static_cast<std::uint64_t>(entry));
    if (!proof)
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                          pg::format("%s", proof.error().message.c_str()), nullptr,
                          "SELECT hoopguard.checkpoint() makes a checkpoint that covers it.");
    std::string const json = record::to_json(*proof);
    const char* text = json.c_str();
    return pg::call([text] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text)); });
}

HOOPGUARD_SQL_FUNCTION(hoopguard_journal_key) {
    OpenJournal const journal = open_journal();
    auto directory = journal.directory->enter(journal.current);
    if (!directory) refuse_reading(directory.error());
    auto const bytes = record::read_all(**directory, record::kPublicKeyName, kMaxKeyFile);
    if (!bytes) refuse_reading(bytes.error());
    auto const keys = record::parse_verifier_keys(base::text_of(*bytes));
    if (!keys) refuse_reading(keys.error());
    if (keys->empty())
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the journal has no key yet", nullptr,
                          "The sealer makes one when it starts; the server log says what keeps it from doing so.");
    std::string const key = keys->back().text();
    return pg::call([&] { return text_datum(key); });
}
