// Opening the journal from SQL: up to which entry it is there, which sessions live, and who may see what.
#pragma once

#include "pg/boundary.hpp"
#include "record/backward_scan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hoopguard::sqlapi {

// The journal as it stood when it was opened.
struct OpenJournal {
    std::unique_ptr<record::Directory> directory;
    std::string current;                // directory name of the origin that this server writes
    std::uint64_t end = 0;              // of the current origin: entries at this position and later are not read
    std::vector<std::uint64_t> living;  // sessions, ascending
    std::uint64_t opened = 0;           // nanoseconds since 1970-01-01 UTC

    // Every origin, or only the one with this name (32 hex digits) when it is there; the last begun first.
    std::vector<record::OriginEnd> origins(const std::string* only = nullptr) const;
    // Whether a session of the current origin may still be going on.
    bool alive(std::uint64_t session) const noexcept;
};

// Waits until what was appended before the call is in segments, at most a few seconds; then warns and goes on
// without the rest. Throws pg::Refusal when this server keeps no journal or it cannot be read.
OpenJournal open_journal();

// A failed reading as an error for the client: XX001 for damage, 58030 for a file that cannot be read.
[[noreturn]] void refuse_reading(const base::Error& error);

// Superusers and members of hoopguard_auditor read everything; everyone else what his own login role did.
bool reads_everything();

// Throws 42501 for everyone else than those, naming the function.
void require_auditor(const char* function);

// Ends the statement when it has been cancelled.
void breathe();

}  // namespace hoopguard::sqlapi
