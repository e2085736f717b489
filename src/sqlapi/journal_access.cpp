// The journal's directory as this server knows it, and the rights to read it.
#include "sqlapi/journal_access.hpp"

#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "record/journal_pg.hpp"
#include "record/slots_pg.hpp"
#include "sqlapi/journal_plan.hpp"

#include <sys/stat.h>
#include <algorithm>

extern "C" {
#include "utils/acl.h"
#include "utils/timestamp.h"
}

namespace hoopguard::sqlapi {

namespace {

constexpr int kWaitMilliseconds = 5000;
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

// The processes of this moment, as session ids.
void add_living(std::vector<std::uint64_t>& living) {
    pg::call([] { pgstat_clear_backend_activity_snapshot(); });
    int const count = pg::call([] { return pgstat_fetch_stat_numbackends(); });
    living.reserve(living.size() + static_cast<std::size_t>(count));
    for (int i = 1; i <= count; ++i) {
        struct Process {
            int pid;
            std::int64_t second;
        };
        auto const process = pg::call([i] {
            const PgBackendStatus* status = backend_status(i);
            return status == nullptr
                       ? Process{0, 0}
                       : Process{status->st_procpid, timestamptz_to_time_t(status->st_proc_start_timestamp)};
        });
        if (process.pid != 0)
            living.push_back(static_cast<std::uint64_t>(process.second) << 32 |
                             static_cast<std::uint32_t>(process.pid));
    }
}

}  // namespace

std::vector<record::OriginEnd> OpenJournal::origins(const std::string* only) const {
    auto found = record::origins_newest_first(*directory);
    if (!found) refuse_reading(found.error());
    for (record::OriginEnd& origin : *found)
        if (origin.directory == current) origin.end = end;
    if (only != nullptr)
        std::erase_if(*found, [&](const record::OriginEnd& origin) {
            return origin.directory != record::kOriginPrefix + *only;
        });
    return std::move(*found);
}

bool OpenJournal::alive(std::uint64_t session) const noexcept {
    return session >> 32 >= opened / kNanosecondsPerSecond ||
           std::binary_search(living.begin(), living.end(), session);
}

OpenJournal open_journal() {
    OpenJournal journal;
    auto const state = record::journal_state();
    std::string const path = state.origin_directory != nullptr ? state.origin_directory : "";
    std::size_t const slash = path.rfind('/');
    if (!state.recording || slash == std::string::npos)
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "this server keeps no journal");
    auto directory = record::open_directory(path.substr(0, slash));
    if (!directory) refuse_reading(directory.error());
    journal.directory = std::move(*directory);
    journal.current = path.substr(slash + 1);
    journal.opened =
        static_cast<std::uint64_t>(pg::call([] { return timestamptz_to_time_t(GetCurrentTimestamp()); })) *
        kNanosecondsPerSecond;
    // Sessions that end between the two looks have entries that are not read; they count as alive.
    add_living(journal.living);
    record::record_all_open();
    std::uint64_t const tail = record::tail();
    if (!record::wait_copied(tail, kWaitMilliseconds))
        pg::call([] {
            ereport(WARNING,
                    (errmsg("the journal's newest entries are not shown"),
                     errdetail("They are accepted, but the sealer has not written them to a segment yet.")));
        });
    journal.end = std::min(tail, record::journal_state().copied);
    add_living(journal.living);
    std::sort(journal.living.begin(), journal.living.end());
    return journal;
}

void refuse_reading(const base::Error& error) {
    bool const damaged = error.number == 0;
    throw pg::Refusal(damaged ? ERRCODE_DATA_CORRUPTED : ERRCODE_IO_ERROR,
                      pg::format("the journal cannot be read: %s", error.message.c_str()), nullptr,
                      damaged
                          ? "SELECT * FROM hoopguard.verify_journal() names every fault; a range of entries or "
                            "times that leaves the damaged place out can still be read."
                          : nullptr);
}

bool reads_everything() {
    return pg::call([] {
        if (superuser()) return true;
        Oid const auditor = get_role_oid("hoopguard_auditor", true);
        return OidIsValid(auditor) && has_privs_of_role(GetUserId(), auditor);
    });
}

void require_auditor(const char* function) {
    if (!reads_everything())
        throw pg::Refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
                          pg::format("permission denied for function %s", function), nullptr,
                          "Members of hoopguard_auditor may call it.");
}

void breathe() {
    if (INTERRUPTS_PENDING_CONDITION()) pg::call([] { ProcessInterrupts(); });
}

}  // namespace hoopguard::sqlapi

extern "C" double hoopguard_journal_bytes(void) {
    using namespace hoopguard;
    return pg::entry(pg::Door::kObserver, "the size of the journal", [] {
        double bytes = 0;
        auto const state = record::journal_state();
        std::string const path = state.origin_directory != nullptr ? state.origin_directory : "";
        auto const journal = record::open_directory(path.substr(0, path.rfind('/')));
        if (!journal) return bytes;
        auto const origins = record::list_origins(**journal);
        if (!origins) return bytes;
        for (const std::string& origin : *origins) {
            auto const directory = (*journal)->enter(origin);
            if (!directory) continue;
            auto const numbers = record::list_segments(**directory);
            if (!numbers || numbers->empty()) continue;
            // All but the last have about the same size; the last is allocated ahead.
            struct stat facts;
            std::string const first =
                path.substr(0, path.rfind('/') + 1) + origin + "/" + record::segment_name(numbers->front());
            if (stat(first.c_str(), &facts) != 0) continue;
            double const whole = static_cast<double>(facts.st_size) * static_cast<double>(numbers->size());
            bool const current = path.ends_with("/" + origin);
            bytes += current ? std::min(whole, static_cast<double>(state.copied)) : whole;
        }
        return bytes;
    });
}
