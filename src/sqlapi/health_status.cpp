// status() and version(): numbers and settings in force, for people and for monitoring.
#include "approve/ended_pg.hpp"
#include "approve/waiting_pg.hpp"
#include "base/text.hpp"
#include "pg/settings.hpp"
#include "policy/in_force_pg.hpp"
#include "record/archive_state_pg.hpp"
#include "sqlapi/datums.hpp"
#include "sqlapi/health_facts.hpp"
#include "sqlapi/result_set.hpp"

#include <cstring>
#include <optional>

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

std::string setting(const char* name) {
    const char* value = pg::call([name] { return GetConfigOption(name, true, false); });
    return value != nullptr ? value : "";
}

// Nothing when the policy cannot be had.
std::optional<std::uint64_t> grants_in_force() {
    try {
        auto const* const image = policy::in_force();
        return image != nullptr ? image->section(policy::SectionId::kGrants).size() : 0;
    } catch (const pg::Refusal&) {
        return std::nullopt;
    }
}

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_status) {
    ResultSet rows(fcinfo);
    HealthFacts const facts = health_facts();
    const record::JournalState& state = facts.state;
    auto const number = [&](const char* name, std::uint64_t value) {
        rows.add_texts(name, std::to_string(value));
    };
    std::string const origin = state.origin_directory;
    rows.add_texts("version", kVersion);
    for (const char* name :
         {"hoopguard.mode", "hoopguard.mask_mode", "hoopguard.journal_sync", "hoopguard.journal_failure_action"})
        rows.add_texts(name + std::strlen("hoopguard."), setting(name));
    rows.add_texts("journal_directory", facts.directory);
    rows.add_texts("journal_origin", origin.substr(origin.rfind('-') + 1));
    if (*state.previous_origin != '\0') rows.add_texts("journal_previous_origin", state.previous_origin);
    number("journal_entries", state.tree_size);
    number("journal_segment", state.segment);
    number("journal_bytes_appended", state.tail);
    number("journal_bytes_in_ring", state.tail - state.copied);
    number("journal_bytes_not_durable", state.tail - state.durable);
    number("journal_ring_size", state.ring_size);
    number("journal_ring_waits", state.waits);
    number("journal_flushes", state.flushes);
    number("journal_refusals", state.refusals);
    number("journal_losses", state.losses);
    number("journal_recovered_entries", state.recovered);
    number("journal_gaps", state.gaps);
    record::ArchiveState const archive = record::archive_state();
    number("journal_archived_segments", archive.below);
    number("journal_archive_failures", archive.failures);
    if (facts.free_bytes) number("journal_free_bytes", *facts.free_bytes);
    rows.add_texts("journal_writing", state.stuck != 0 ? std::strerror(state.stuck) : "ok");
    rows.add_texts("journal_fault", state.fault != 0 ? std::strerror(state.fault) : "none");
    if (facts.checkpoint) {
        number("checkpoint_entries", facts.checkpoint->size);
        rows.add_texts("checkpoint_time", base::to_rfc3339(facts.checkpoint->time, 0));
    }
    if (auto const grants = grants_in_force()) number("grants_in_force", *grants);
    number("grants_ended", approve::ended_count());
    number("statements_waiting_for_approval", approve::waiting_statements());
    number("observer_failures_here", pg::observer_failures());
    return 0;
}

HOOPGUARD_SQL_FUNCTION(hoopguard_version) {
    return pg::call([] { return text_datum(kVersion); });
}
