// A session as the journal describes it: who logged in, from where, by what means, and what it calls itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace hoopguard::identify {

// Texts are empty where there is nothing to say; they live until the session changes again.
struct Session {
    std::uint64_t change = 0;  // rises whenever one of the facts below becomes another
    std::uint32_t pid = 0;
    std::uint32_t login_role_oid = 0;      // session_user
    std::uint32_t effective_role_oid = 0;  // current_user outside of any SECURITY DEFINER function
    std::uint32_t database_oid = 0;
    std::string_view login_role;
    std::string_view effective_role;
    std::string_view database;
    std::string_view client_address;  // empty: a local socket, or no client at all
    std::string_view client_port;
    std::string_view application_name;
    std::string_view backend_type;
    std::string_view auth_method;
    std::string_view authenticated_id;
    std::string_view tls;  // protocol version; empty: none
};

}  // namespace hoopguard::identify
