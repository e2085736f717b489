// hoopguard's settings, as PostgreSQL holds them. Defined once, in define_settings(); read anywhere.
#pragma once

#include "pg/prelude.hpp"

namespace hoopguard::pg {

enum class Mode : int { kEnforce, kObserve };
enum class MaskDefault : int { kGuarded, kEveryone };
enum class JournalSync : int { kOff, kCommit, kRisky, kAll };
enum class FailureAction : int { kRefuse, kAllow };

// Plain C types, because PostgreSQL writes through these addresses; strings belong to the GUC machinery.
struct Settings {
    char* database;                   // the control database
    int mode;                         // Mode
    int mask_mode;                    // Mode
    int mask_default;                 // MaskDefault
    bool masked_dump;                 // whole tables may be copied with masks
    char* system_roles;               // comma-separated role names
    char* journal_directory;          // relative to the data directory, or absolute
    char* key_directory;              // empty: the journal's
    char* secret_command;             // prints the mask secret; empty: a file in key_directory
    bool mask_node;                   // masks at the top of plans move into HoopMask
    int journal_sync;                 // JournalSync
    int journal_segment_size;         // MB
    int journal_failure_action;       // FailureAction
    int journal_min_free;             // MB
    int journal_retention;            // seconds; 0 keeps for ever
    int journal_max_size;             // MB; 0 keeps all
    char* journal_archive_command;    // as archive_command, %p and %f
    char* checkpoint_command;         // gets a signed checkpoint on standard input
    int journal_checkpoint_interval;  // seconds
    bool journal_parameters;
    int journal_statement_limit;  // kB
    int approval_wait;            // milliseconds; 0: refuse at once
    int approval_max_waiting;     // sessions
    int request_lifetime;         // seconds
    int approval_lifetime;        // seconds
    int grant_max_duration;       // seconds
    int credential_lifetime;      // seconds
    char* request_id;             // the caller's, user-settable
    char* reason;                 // the caller's, user-settable

    Mode guard_mode() const { return static_cast<Mode>(mode); }
    Mode masking_mode() const { return static_cast<Mode>(mask_mode); }
    JournalSync sync() const { return static_cast<JournalSync>(journal_sync); }
    FailureAction on_failure() const { return static_cast<FailureAction>(journal_failure_action); }
};

extern Settings settings;

// Defines every hoopguard.* setting; called once, from _PG_init. May raise.
void define_settings();

}  // namespace hoopguard::pg
