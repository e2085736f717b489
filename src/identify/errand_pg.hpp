// Errands: work that a session has done in another database, by a worker of hoopguard's that runs one statement
// there. Guardrails judge it where it was asked for; where it is done it is on record under the name of whoever
// asked. It has its owner's rights, or no more than those of whoever asked, as if he had connected there.
//
// The order lies at the start of a dynamic shared memory segment; the statement, the asker's token as to_json()
// has it, and the queue of answers behind it.
#pragma once

#include "identify/bearer.hpp"
#include "pg/prelude.hpp"

#include <cstdint>
#include <iterator>

namespace hoopguard::identify {

// The roles of a session, as PostgreSQL keeps them.
struct SessionRoles {
    Oid authenticated;  // who logged in; InvalidOid: an errand with its owner's rights
    Oid session;        // session_user
    Oid outer;          // what SET ROLE said
    Oid current;        // current_user
};

// Settings by which values are written and read.
inline constexpr const char* kErrandSettings[] = {"DateStyle", "IntervalStyle", "TimeZone", "client_min_messages"};

struct ErrandOrder {
    Oid database;
    Oid owner;                       // who the worker connects as
    SessionRoles asker;              // whose rights it has
    std::int32_t encoding;           // of all texts, and of the answer
    std::int32_t lock_timeout;       // milliseconds
    std::int32_t statement_timeout;  // milliseconds; 0: none
    std::uint32_t statement_length;
    std::uint32_t bearer_length;
    std::uint32_t queue_at;  // offset
    bool read_only;
    char settings[std::size(kErrandSettings)][64];
    char asked_by[NAMEDATALEN * 4];
    char session[32];
    char request_id[256];
    char reason[1024];
};

// The answer: one message of this type, with the rows as JSON.
inline constexpr char kErrandAnswer = 'D';

// This process does an errand from now on; `order` stays while it lives. Throws what reading a token throws.
void begin_errand(const ErrandOrder& order);
bool is_errand() noexcept;
// Who asked, of an errand with its owner's rights; otherwise empty.
const char* errand_asked_by() noexcept;
// The token that whoever asks speaks by; null: none.
const Bearer* errand_bearer() noexcept;
// Who logged in: to this session, or to the one whose errand this process does with its rights.
Oid authenticated_role() noexcept;

}  // namespace hoopguard::identify
