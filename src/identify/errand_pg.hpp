// Errands: work that a session has done in another database, by a worker of hoopguard's that runs one statement
// there. Guardrails judge it where it was asked for; where it is done it is on record under the name of whoever
// asked.
//
// The order lies at the start of a dynamic shared memory segment, the statement behind it, and behind that the
// queue of answers.
#pragma once

#include "pg/prelude.hpp"

#include <cstdint>

namespace hoopguard::identify {

struct ErrandOrder {
    Oid database;
    Oid owner;                  // the role that does it
    std::int32_t encoding;      // of all texts, and of the answer
    std::int32_t lock_timeout;  // milliseconds
    std::uint32_t statement_length;
    std::uint32_t queue_at;  // offset
    bool read_only;
    char asked_by[NAMEDATALEN * 4];
    char session[32];
    char request_id[256];
    char reason[1024];
};

// The answer: one message of this type, with the rows as JSON.
inline constexpr char kErrandAnswer = 'D';

// This process does an errand from now on.
void begin_errand(const ErrandOrder& order) noexcept;
bool is_errand() noexcept;
// Who asked; empty: this is no errand.
const char* errand_asked_by() noexcept;

}  // namespace hoopguard::identify
