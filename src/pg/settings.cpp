// The definition of every hoopguard.* setting, in the order of the README's table.
#include "pg/settings.hpp"

#include "crypto/seal.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/redaction_settings.hpp"
#include "pg/setting_names.hpp"

#include <array>

extern "C" {

static bool check_reveal_key(char** value, void**, GucSource) {
    bool const good = hoopguard::pg::entry(hoopguard::pg::Door::kObserver, "journal_reveal_key", [value] {
        return **value == '\0' || hoopguard::crypto::parse_sealing_key(*value).ok();
    });
    if (!good)
        GUC_check_errdetail(
            "A reveal key is \"hoopguard-reveal:\" and the base64 of 32 bytes, as \"hoopguard-journal "
            "reveal-key\" prints it.");
    return good;
}

}  // extern "C"

namespace hoopguard::pg {

Settings settings;
RedactionSettings redaction_settings;

namespace {

// Read by name, by the one worker that needs it.
char* provider_ca_file;

constexpr config_enum_entry kModes[] = {{"enforce", static_cast<int>(Mode::kEnforce), false},
                                        {"observe", static_cast<int>(Mode::kObserve), false},
                                        {nullptr, 0, false}};
constexpr config_enum_entry kMaskDefaults[] = {{"guarded", static_cast<int>(MaskDefault::kGuarded), false},
                                               {"everyone", static_cast<int>(MaskDefault::kEveryone), false},
                                               {nullptr, 0, false}};
constexpr config_enum_entry kSyncs[] = {{"off", static_cast<int>(JournalSync::kOff), false},
                                        {"commit", static_cast<int>(JournalSync::kCommit), false},
                                        {"risky", static_cast<int>(JournalSync::kRisky), false},
                                        {"all", static_cast<int>(JournalSync::kAll), false},
                                        {nullptr, 0, false}};
constexpr config_enum_entry kFailureActions[] = {{"refuse", static_cast<int>(FailureAction::kRefuse), false},
                                                 {"allow", static_cast<int>(FailureAction::kAllow), false},
                                                 {nullptr, 0, false}};

std::array<const char*, 64> names;
std::size_t name_count = 0;

// A setting that only an administrator changes is recorded with its changes.
void note(const char* name, GucContext context) {
    if (context != PGC_USERSET && name_count < names.size()) names[name_count++] = name;
}

void define_string(const char* name, const char* meaning, char** value, const char* initial, GucContext context,
                   int flags = 0, GucStringCheckHook check = nullptr) {
    note(name, context);
    DefineCustomStringVariable(name, meaning, nullptr, value, initial, context, flags, check, nullptr, nullptr);
}

void define_int(const char* name, const char* meaning, int* value, int initial, int least, int most,
                GucContext context, int flags) {
    note(name, context);
    DefineCustomIntVariable(name, meaning, nullptr, value, initial, least, most, context, flags, nullptr, nullptr,
                            nullptr);
}

void define_enum(const char* name, const char* meaning, int* value, int initial, const config_enum_entry* options,
                 GucContext context) {
    note(name, context);
    DefineCustomEnumVariable(name, meaning, nullptr, value, initial, options, context, 0, nullptr, nullptr,
                             nullptr);
}

void define_bool(const char* name, const char* meaning, bool* value, bool initial, GucContext context,
                 int flags = 0) {
    note(name, context);
    DefineCustomBoolVariable(name, meaning, nullptr, value, initial, context, flags, nullptr, nullptr, nullptr);
}

void define_policy_settings() {
    define_string("hoopguard.database", "The control database: its policy tables rule the whole cluster.",
                  &settings.database, "postgres", PGC_POSTMASTER);
    define_enum("hoopguard.mode", "Whether guardrails refuse, or only decide and record.", &settings.mode,
                static_cast<int>(Mode::kEnforce), kModes, PGC_SIGHUP);
    define_enum("hoopguard.mask_mode", "Whether masks are applied, or only recorded.", &settings.mask_mode,
                static_cast<int>(Mode::kEnforce), kModes, PGC_SIGHUP);
    define_enum("hoopguard.mask_default", "Whom a mask policy without roles covers.", &settings.mask_default,
                static_cast<int>(MaskDefault::kGuarded), kMaskDefaults, PGC_SIGHUP);
    define_bool("hoopguard.masked_dump", "Whether masked actors may copy or dump whole tables.",
                &settings.masked_dump, false, PGC_SIGHUP);
    define_bool("hoopguard.mask_node", "Whether masks at the top of plans run in a node of their own.",
                &settings.mask_node, true, PGC_SUSET, GUC_NOT_IN_SAMPLE);
    define_string("hoopguard.system_roles", "Roles that only guardrails naming them cover.",
                  &settings.system_roles, "", PGC_SIGHUP, GUC_LIST_INPUT);
    define_string("hoopguard.provider_ca_file", "Certificates that the servers of jwks_uri are trusted by.",
                  &provider_ca_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY);
}

void define_journal_settings() {
    define_string("hoopguard.journal_directory", "Where the journal is; relative to the data directory.",
                  &settings.journal_directory, "hoopguard", PGC_POSTMASTER, GUC_SUPERUSER_ONLY);
    define_string("hoopguard.key_directory", "Where the journal key is; empty means the journal directory.",
                  &settings.key_directory, "", PGC_POSTMASTER, GUC_SUPERUSER_ONLY);
    define_string("hoopguard.secret_command", "Shell command that prints the mask secret.",
                  &settings.secret_command, "", PGC_POSTMASTER, GUC_SUPERUSER_ONLY);
    define_enum("hoopguard.journal_sync", "What must be durable in the journal before it takes effect.",
                &settings.journal_sync, static_cast<int>(JournalSync::kRisky), kSyncs, PGC_SIGHUP);
    define_int("hoopguard.journal_segment_size", "Size at which a segment file is sealed.",
               &settings.journal_segment_size, 64, 1, 1024, PGC_POSTMASTER, GUC_UNIT_MB);
    define_enum("hoopguard.journal_failure_action", "What happens to statements that cannot be recorded.",
                &settings.journal_failure_action, static_cast<int>(FailureAction::kRefuse), kFailureActions,
                PGC_SIGHUP);
    define_int("hoopguard.journal_min_free", "Free space in the journal's file system below which alerts begin.",
               &settings.journal_min_free, 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB);
    define_int("hoopguard.journal_retention", "Keep segments at least this long; 0 keeps them for ever.",
               &settings.journal_retention, 0, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_S);
    define_int("hoopguard.journal_max_size", "Keep at most this much; 0 keeps all.", &settings.journal_max_size, 0,
               0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB);
    define_string("hoopguard.journal_archive_command",
                  "Shell command that archives a sealed segment (%p, %f, %o).", &settings.journal_archive_command,
                  "", PGC_SIGHUP, GUC_SUPERUSER_ONLY);
    define_string("hoopguard.checkpoint_command", "Shell command given each signed checkpoint on standard input.",
                  &settings.checkpoint_command, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY);
    define_int("hoopguard.journal_checkpoint_interval", "Time between signed checkpoints while entries arrive.",
               &settings.journal_checkpoint_interval, 5, 1, 3600, PGC_SIGHUP, GUC_UNIT_S);
    define_bool("hoopguard.journal_parameters", "Record the values bound to parameters.",
                &settings.journal_parameters, true, PGC_SIGHUP);
    define_bool("hoopguard.journal_redact",
                "Sensitive literals and parameters become keyed tokens in recorded text.",
                &redaction_settings.redact, true, PGC_SIGHUP);
    define_string("hoopguard.journal_reveal_key", "An auditor's public key, to which exact texts are sealed.",
                  &redaction_settings.reveal_key, "", PGC_SIGHUP, 0, check_reveal_key);
    define_int("hoopguard.journal_statement_limit",
               "Longer statement texts are recorded by head, tail and digest.", &settings.journal_statement_limit,
               1024, 1, 8192, PGC_SIGHUP, GUC_UNIT_KB);
}

void define_approval_settings() {
    define_int("hoopguard.approval_wait", "How long a statement waits in place for a person; 0 refuses at once.",
               &settings.approval_wait, 30'000, 0, 24 * 3600 * 1000, PGC_SIGHUP, GUC_UNIT_MS);
    define_int("hoopguard.approval_max_waiting",
               "Beyond so many waiting sessions, statements are refused at once.", &settings.approval_max_waiting,
               10, 0, 10'000, PGC_SIGHUP, 0);
    define_int("hoopguard.request_lifetime", "A request that nobody decides expires after this.",
               &settings.request_lifetime, 3600, 1, 365 * 24 * 3600, PGC_SIGHUP, GUC_UNIT_S);
    define_int("hoopguard.approval_lifetime", "An approval that is not used expires after this.",
               &settings.approval_lifetime, 900, 1, 365 * 24 * 3600, PGC_SIGHUP, GUC_UNIT_S);
    define_int("hoopguard.grant_max_duration", "No just-in-time grant is given for longer than this.",
               &settings.grant_max_duration, 24 * 3600, 1, 365 * 24 * 3600, PGC_SIGHUP, GUC_UNIT_S);
    define_int("hoopguard.credential_lifetime",
               "Nobody logs in with a credential of issue_credential() after this.", &settings.credential_lifetime,
               900, 1, 24 * 3600, PGC_SIGHUP, GUC_UNIT_S);
}

void define_session_settings() {
    define_string("hoopguard.request_id", "The request that statements are sent for.", &settings.request_id, "",
                  PGC_USERSET);
    define_string("hoopguard.reason", "Why statements are sent.", &settings.reason, "", PGC_USERSET);
}

}  // namespace

std::span<const char* const> administrators_settings() noexcept {
    return {names.data(), name_count};
}

void define_settings() {
    define_policy_settings();
    define_journal_settings();
    define_approval_settings();
    define_session_settings();
    MarkGUCPrefixReserved("hoopguard");
}

}  // namespace hoopguard::pg
