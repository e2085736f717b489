// What status() shows and doctor() judges: facts about the journal, its files and its newest checkpoint.
#pragma once

#include "record/checkpoint.hpp"
#include "record/journal_pg.hpp"

#include <optional>
#include <string>

namespace hoopguard::sqlapi {

inline constexpr char kVersion[] = "1.0.0";

struct HealthFacts {
    record::JournalState state;
    std::string directory;                         // of the journal, absolute
    std::string keys;                              // directory of the journal's key, absolute
    bool inside_data = false;                      // the journal lies within the data directory
    std::optional<std::uint64_t> free_bytes;       // in its file system
    std::optional<unsigned> mode;                  // permission bits of its directory
    std::optional<record::Checkpoint> checkpoint;  // the newest
    std::string checkpoint_error;                  // why it cannot be told
    std::uint64_t now = 0;                         // nanoseconds since 1970-01-01 UTC
};

// Cheap: a few calls to the file system. Throws pg::Refusal when this server keeps no journal.
HealthFacts health_facts();

}  // namespace hoopguard::sqlapi
