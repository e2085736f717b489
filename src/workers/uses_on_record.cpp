// Reads the journal backwards to where the oldest approval in question was asked for.
#include "workers/uses_on_record.hpp"

#include "base/json_writer.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "record/backward_scan.hpp"
#include "record/journal_pg.hpp"

#include <algorithm>
#include <vector>

extern "C" {
#include "miscadmin.h"
}

namespace hoopguard::workers {

namespace {

using record::Field;

constexpr int kWaitMilliseconds = 5000;
constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;

struct Wanted {
    std::vector<std::uint64_t> requests;  // in rising order
    std::uint64_t since = 0;              // microseconds since 1970-01-01 UTC
};

Wanted wanted_of(const base::Json& unused) {
    Wanted wanted;
    auto const* const requests = unused.member("requests");
    auto const* const since = unused.member("since_us");
    if (requests == nullptr || requests->array() == nullptr || since == nullptr || since->number() == nullptr)
        return wanted;
    wanted.since = *since->number();
    for (auto const& one : *requests->array())
        if (one.number() != nullptr) wanted.requests.push_back(*one.number());
    return wanted;
}

void add_use(std::string& uses, const record::EntryView& entry, const Wanted& wanted) {
    if (entry.type() != record::EntryType::kDecision || entry.text(Field::kDetail) != "used") return;
    auto const request = entry.uint(Field::kApproval);
    if (!request || !std::ranges::binary_search(wanted.requests, *request)) return;
    base::JsonWriter use;
    use.number("request", *request);
    use.text("actor", entry.text(Field::kActor).value_or(""));
    use.number("at_us", entry.time() / kNanosecondsPerMicrosecond);
    uses.append(uses.empty() ? "" : ",").append(use.object());
}

// The uses on record as the members of a JSON array.
base::Result<std::string> read_uses(const std::string& path, const Wanted& wanted) {
    auto const journal = record::open_directory(path);
    if (!journal) return journal.error();
    auto origins = record::origins_newest_first(**journal);
    if (!origins) return origins.error();
    record::Selection selection;
    selection.since = wanted.since * kNanosecondsPerMicrosecond;
    record::BackwardScan scan(**journal, std::move(*origins), selection,
                              [] { pg::call([] { CHECK_FOR_INTERRUPTS(); }); });
    std::string uses;
    for (;;) {
        auto const more = scan.next();
        if (!more) return more.error();
        if (!*more) return uses;
        add_use(uses, scan.entry(), wanted);
    }
}

void require_newest_entries() {
    if (record::wait_copied(record::tail(), kWaitMilliseconds)) return;
    throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "the journal's newest entries cannot be read yet");
}

void say_unreadable(const base::Error& error) {
    pg::call([&error] {
        ereport(LOG,
                (errmsg("hoopguard cannot tell which approvals were used already: the journal cannot be read: %s",
                        error.message.c_str()),
                 errdetail("The approvals that nobody had used yet expire."),
                 errhint("SELECT * FROM hoopguard.verify_journal() names every fault.")));
    });
}

}  // namespace

std::optional<std::string> uses_on_record(const base::Json& unused) {
    auto const wanted = wanted_of(unused);
    auto const state = record::journal_state();
    if (wanted.requests.empty() || !state.recording) return std::nullopt;
    require_newest_entries();
    std::string const origin = state.origin_directory != nullptr ? state.origin_directory : "";
    auto const uses = read_uses(origin.substr(0, origin.rfind('/')), wanted);
    if (!uses) say_unreadable(uses.error());
    base::JsonWriter letter;
    letter.boolean("readable", uses.ok());
    letter.json("uses", "[" + (uses.ok() ? *uses : std::string()) + "]");
    return letter.object();
}

}  // namespace hoopguard::workers
