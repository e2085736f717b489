// Errors: remembered for the outcomes of the statements they end, and recorded themselves when what failed never
// became a statement - syntax errors, unknown tables, statements in a failed transaction.
#pragma once

#include "identify/actor.hpp"
#include "identify/session.hpp"
#include "pg/prelude.hpp"
#include "record/redaction.hpp"

namespace hoopguard::record {

// An ERROR or worse is being raised. Called from within ereport(): raises nothing, reads no catalog. `unread`:
// what to take of a text that nobody has read.
void note_error(const ErrorData& error, const identify::Actor& actor, const identify::Session& session,
                const SensitiveParts& unread) noexcept;

}  // namespace hoopguard::record
