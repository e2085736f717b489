// What doctor() says of the journal and the settings; checks of catalogs and of pg_hba.conf are SQL, beside it.
// Each check gives one row: its verdict, what was found, and what to do, as SQL where SQL can do it.
#include "base/text.hpp"
#include "mask/secret_pg.hpp"
#include "pg/settings.hpp"
#include "record/archive_state_pg.hpp"
#include "sqlapi/health_facts.hpp"
#include "sqlapi/result_set.hpp"

#include <cstring>

using namespace hoopguard;
using namespace hoopguard::sqlapi;

namespace {

constexpr std::uint64_t kMegabyte = 1u << 20;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr const char* kOk = "ok";
constexpr const char* kWarn = "warn";
constexpr const char* kFail = "fail";

using Remedy = std::optional<std::string>;

std::string megabytes(std::uint64_t bytes) {
    return std::to_string(bytes / kMegabyte) + " MB";
}

// One statement: ALTER SYSTEM refuses to share its string with another.
std::string set_and_reload(const char* assignment) {
    return std::string("ALTER SYSTEM SET hoopguard.") + assignment + "; -- then SELECT pg_reload_conf();";
}

class Doctor {
 public:
    Doctor(ResultSet& rows, const HealthFacts& facts) : rows_(rows), facts_(facts), state_(facts.state) {}

    void examine() {
        writing();
        space();
        archive();
        place();
        keys();
        mask_secret();
        checkpoints();
        completeness();
        origin();
        settings();
    }

 private:
    void say(const char* check, const char* status, const std::string& detail, const Remedy& remedy = {}) {
        rows_.add_texts(check, status, detail, remedy);
    }

    void writing() {
        if (state_.fault != 0)
            say("journal_writing", kFail, std::string("the journal has failed: ") + std::strerror(state_.fault),
                "Mend the file system of " + facts_.directory + ", then restart the server.");
        else if (state_.stuck != 0)
            say("journal_writing", kFail,
                std::string("segments cannot be written: ") + std::strerror(state_.stuck),
                "Free space on, or mend, the file system of " + facts_.directory + "; writing goes on by itself.");
        else
            say("journal_writing", kOk, "entries reach their segments");
    }

    void space() {
        if (!facts_.free_bytes)
            return say("journal_space", kWarn, "the free space of " + facts_.directory + " cannot be told");
        std::uint64_t const wanted = static_cast<std::uint64_t>(pg::settings.journal_min_free) * kMegabyte;
        std::string const found =
            megabytes(*facts_.free_bytes) + " free, journal_min_free is " + megabytes(wanted);
        if (*facts_.free_bytes < wanted)
            say("journal_space", kFail, found,
                "Free space on the file system of " + facts_.directory + ", or set hoopguard.journal_retention.");
        else
            say("journal_space", kOk, found);
    }

    void archive() {
        const char* const command = pg::settings.journal_archive_command;
        if (command == nullptr || *command == '\0') return;
        record::ArchiveState const archive = record::archive_state();
        std::string const found = std::to_string(archive.below) + " segments are archived, segment " +
                                  std::to_string(state_.segment) + " is being written";
        if (archive.failing)
            say("journal_archive", kFail, "the last attempt failed; " + found,
                "Mend hoopguard.journal_archive_command: it is tried again by itself, and until then nothing is "
                "removed.");
        else
            say("journal_archive", kOk, found);
    }

    void place() {
        if (!facts_.mode || (*facts_.mode & 077) != 0)
            say("journal_permissions", kFail, facts_.directory + " can be entered by others than the server",
                "chmod 0700 " + facts_.directory);
        else
            say("journal_permissions", kOk, "only the server may enter " + facts_.directory);
        if (facts_.inside_data)
            say("journal_place", kWarn,
                "the journal lies in the data directory: it fills the same disk and goes with every base backup",
                "Stop the server, move " + facts_.directory +
                    " elsewhere, set hoopguard.journal_directory to that place, and start it.");
        else
            say("journal_place", kOk, "the journal lies outside the data directory");
    }

    void keys() {
        if ((facts_.keys + "/").starts_with(facts_.directory + "/"))
            say("key_place", kWarn, "the journal's key lies beside the journal: whoever copies one has both",
                "Stop the server, move the *.key files of " + facts_.keys +
                    " to a directory of their own, set hoopguard.key_directory to it, and start it.");
        else
            say("key_place", kOk, "the journal's key lies in " + facts_.keys);
    }

    void mask_secret() {
        mask::SecretState const state = mask::secret_state();
        std::string const back = "Put back the file " + state.path + ", mode 0600, from the primary or a backup";
        if (!state.loaded)
            say("mask_secret", kFail,
                "the server has no mask secret: columns masked by hash, fpe, noise or pseudonym cannot be read",
                state.by_command ? "Mend hoopguard.secret_command, then restart the server; its log says why."
                                 : back + ", then restart the server; its log says why.");
        else if (state.by_command)
            say("mask_secret", kOk, "the mask secret comes from hoopguard.secret_command");
        else if (state.status != 0)
            say("mask_secret", kFail,
                state.path + " cannot be read (" + std::strerror(state.status) +
                    "): after the next start the same value gets another mask, or none can be made",
                back + ".");
        else if (state.changed)
            say("mask_secret", kFail,
                state.path + " is not what the server started with: the next start changes every keyed mask",
                back + ".");
        else
            say("mask_secret", kOk, "only the server may read " + state.path);
    }

    void checkpoints() {
        if (!facts_.checkpoint) {
            std::string const why = facts_.checkpoint_error.empty() ? "" : ": " + facts_.checkpoint_error;
            return say("journal_checkpoint", kFail, "the journal has no signed checkpoint" + why,
                       "SELECT hoopguard.checkpoint();");
        }
        std::uint64_t const uncovered =
            state_.tree_size > facts_.checkpoint->size ? state_.tree_size - facts_.checkpoint->size : 0;
        std::uint64_t const age =
            facts_.now > facts_.checkpoint->time ? (facts_.now - facts_.checkpoint->time) / kSecond : 0;
        std::string const found = "the newest covers " + std::to_string(facts_.checkpoint->size) + " entries, " +
                                  std::to_string(uncovered) + " came since, " + std::to_string(age) + " s ago";
        auto const patience = static_cast<std::uint64_t>(pg::settings.journal_checkpoint_interval) * 10 + 60;
        if (uncovered > 0 && age > patience)
            say("journal_checkpoint", kFail, found, "SELECT hoopguard.checkpoint();");
        else
            say("journal_checkpoint", kOk, found);
        if (pg::settings.checkpoint_command == nullptr || *pg::settings.checkpoint_command == '\0')
            say("checkpoint_command", kWarn,
                "checkpoints do not leave this machine: whoever owns it could rewrite the journal unseen",
                "Set hoopguard.checkpoint_command to a command that keeps its standard input elsewhere.");
        else
            say("checkpoint_command", kOk, "each checkpoint is handed on");
    }

    void completeness() {
        if (state_.losses > 0)
            say("journal_losses", kFail,
                std::to_string(state_.losses) + " entries were lost since the server started",
                "The server log tells why; each loss is an entry.");
        else
            say("journal_losses", kOk, "nothing was lost since the server started");
        if (state_.gaps > 0)
            say("journal_gaps", kWarn,
                std::to_string(state_.gaps) +
                    " places were reserved by processes that died, and never filled; no "
                    "statement of theirs had begun");
        else
            say("journal_gaps", kOk, "recovery found no gap");
    }

    void origin() {
        if (*state_.previous_origin != '\0')
            say("journal_origin", kWarn,
                std::string("this server began a journal of its own: it found that of ") + state_.previous_origin +
                    ", as after a base backup or a rewind");
        else
            say("journal_origin", kOk, "the journal goes on from where it began");
    }

    void settings() {
        if (pg::settings.on_failure() == pg::FailureAction::kAllow)
            say("journal_failure_action", kFail, "statements run that cannot be recorded",
                set_and_reload("journal_failure_action = 'refuse'"));
        else
            say("journal_failure_action", kOk, "what cannot be recorded does not run");
        if (pg::settings.sync() == pg::JournalSync::kOff)
            say("journal_sync", kWarn, "entries outlive every process, but not a failing operating system",
                set_and_reload("journal_sync = 'risky'"));
        else
            say("journal_sync", kOk, "entries outlive a failing operating system");
        if (pg::settings.guard_mode() == pg::Mode::kObserve)
            say("mode", kWarn, "guardrails only observe: nothing is refused", set_and_reload("mode = 'enforce'"));
        else
            say("mode", kOk, "guardrails are enforced");
        if (pg::settings.masking_mode() == pg::Mode::kObserve)
            say("mask_mode", kWarn, "masks only observe: everything is shown",
                set_and_reload("mask_mode = 'enforce'"));
        else
            say("mask_mode", kOk, "masks are applied");
    }

    ResultSet& rows_;
    const HealthFacts& facts_;
    const record::JournalState& state_;
};

}  // namespace

HOOPGUARD_SQL_FUNCTION(hoopguard_examine_journal) {
    ResultSet rows(fcinfo);
    HealthFacts const facts = health_facts();
    Doctor(rows, facts).examine();
    return 0;
}
