// Fetching JSON Web Key Sets: each provider's every hour, and soon when a token named a key that is not here.
// What was fetched is checked before it takes the place of what is there, and stays on disk over a restart.
#include "workers/key_fetcher.hpp"

#include "identify/examine_pg.hpp"
#include "identify/key_set.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "policy/in_force_pg.hpp"
#include "policy/standing_pg.hpp"
#include "workers/https_get.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <string>
#include <vector>

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "utils/guc.h"

PGDLLEXPORT void hoopguard_key_fetcher_main(Datum argument);
}

namespace hoopguard::workers {
namespace {

constexpr std::time_t kFresh = 60 * 60;  // seconds
constexpr std::time_t kSoon = 10;        // the least between two attempts
constexpr std::time_t kLongestPause = 10 * 60;
constexpr long kNap = 2000;  // milliseconds

struct Source {
    std::string name;
    std::string address;
};

struct Attempt {
    std::string address;
    std::time_t fetched_at = 0;
    std::time_t tried_at = 0;
    std::time_t pause = 0;
    std::uint64_t asked = 0;  // requests that the last attempt served
    std::string problem;
};

bool is_stopping() {
    return ShutdownRequestPending != 0;
}

std::vector<Source> sources() {
    using F = policy::ProviderField;
    std::vector<Source> found;
    const policy::Image* const image = policy::generation_in_force() != 0 ? policy::in_force() : nullptr;
    if (image == nullptr) return found;
    const policy::Section rows = image->section(policy::SectionId::kProviders);
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        if (rows[i].word(F::kEnabled) != 0 && !rows[i].is_null(F::kJwksUri))
            found.push_back({std::string(rows[i].text(F::kName)), std::string(rows[i].text(F::kJwksUri))});
    return found;
}

base::Status store_keys(const Source& source, const std::string& keys) {
    const policy::Store store = policy::store();
    return store.write_file(identify::fetched_keys_path(source.name), base::bytes_of(keys));
}

base::Status fetch(const Source& source) {
    const std::string ca_file =
        pg::call([] { return GetConfigOption("hoopguard.provider_ca_file", true, false); });
    auto text = https_get(source.address, ca_file, identify::KeySet::kMostBytes, is_stopping);
    if (!text) return text.error();
    if (const auto keys = identify::KeySet::parse(*text); !keys) return keys.error();
    return store_keys(source, *text);
}

bool is_due(const Attempt& attempt, const Source& source, std::time_t now) noexcept {
    if (attempt.address != source.address) return true;
    if (now < attempt.tried_at + std::max(kSoon, attempt.pause)) return false;
    return now >= attempt.fetched_at + kFresh || attempt.asked != policy::keys_asked_for();
}

void tell(const Source& source, const std::string& problem) {
    pg::call([&] {
        if (problem.empty())
            ereport(LOG, (errmsg("hoopguard has fetched the keys of provider \"%s\"", source.name.c_str())));
        else
            ereport(LOG, (errmsg("hoopguard cannot fetch the keys of provider \"%s\" from \"%s\": %s",
                                 source.name.c_str(), source.address.c_str(), problem.c_str()),
                          errdetail("The keys that were fetched before stay in use.")));
    });
}

void tend(std::map<std::string, Attempt>& attempts) {
    for (const Source& source : sources()) {
        Attempt& attempt = attempts[source.name];
        const std::time_t now = std::time(nullptr);
        if (is_stopping() || !is_due(attempt, source, now)) continue;
        const bool first = attempt.address != source.address;
        attempt.address = source.address;
        attempt.tried_at = now;
        attempt.asked = policy::keys_asked_for();
        const base::Status status = fetch(source);
        const std::string problem = status ? std::string() : status.error().message;
        if (first || problem != attempt.problem) tell(source, problem);
        attempt.problem = problem;
        attempt.pause = status ? 0 : std::clamp(attempt.pause * 2, kSoon, kLongestPause);
        if (status) attempt.fetched_at = now;
    }
}

}  // namespace

void register_key_fetcher() {
    BackgroundWorker worker = {};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_ConsistentState;
    worker.bgw_restart_time = 10;
    strlcpy(worker.bgw_library_name, "hoopguard", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "hoopguard_key_fetcher_main", sizeof worker.bgw_function_name);
    strlcpy(worker.bgw_name, "hoopguard key fetcher", sizeof worker.bgw_name);
    strlcpy(worker.bgw_type, "hoopguard key fetcher", sizeof worker.bgw_type);
    RegisterBackgroundWorker(&worker);
}

}  // namespace hoopguard::workers

void hoopguard_key_fetcher_main(Datum) {
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    hoopguard::policy::register_key_fetcher();
    while (!ShutdownRequestPending) {
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
        hoopguard::pg::entry(hoopguard::pg::Door::kObserver, "key fetcher", [] {
            static std::map<std::string, hoopguard::workers::Attempt> attempts;
            hoopguard::workers::tend(attempts);
        });
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, hoopguard::workers::kNap,
                  PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
    }
    proc_exit(0);
}
