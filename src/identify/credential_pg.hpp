// Credentials for clients that cannot carry a long token: a role with a password, good for minutes, and the
// identity of the token behind it.
//
// The role is made and removed by the broker. Who is behind it lies in a file beside the policy images that only
// the server reads, because a client's login cannot look into a table; a role without its file lets nobody in (it
// is a member of a mapped role). The password exists in the answer alone: the server keeps what SCRAM needs to
// check it.
#pragma once

#include "identify/bearer.hpp"
#include "identify/examine_pg.hpp"
#include "pg/compat.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::identify {

struct Credential {
    std::string username;
    std::string password;
    std::int64_t valid_until = 0;  // seconds since 1970-01-01 UTC
};

// For a verified bearer; good for hoopguard.credential_lifetime, no longer than the token. Throws pg::Refusal and
// pg::Error.
Credential make_credential(const Bearer& bearer);

// The identity behind the credential that this role is; nothing when it is none. May throw pg::Refusal and
// pg::Error.
std::optional<Examination> examine_credential(std::string_view role, Oid oid);

// The path of the file that says who is behind a credential.
std::string credential_path(std::string_view role);

}  // namespace hoopguard::identify
