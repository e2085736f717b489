// What secrets look like, whatever surrounds them: the words that announce one, connection strings, tokens.
#pragma once

#include "record/secrets.hpp"

namespace hoopguard::record {

// Whether a literal right after this name is a secret: PASSWORD 'x', OPTIONS (password 'x').
bool names_secret(std::string_view name) noexcept;
bool names_password(std::string_view name) noexcept;
// Whether this function is given tokens.
bool takes_token(std::string_view name) noexcept;
// Whether a statement with this among its first words is about who may log in, so that PASSWORD in it is what
// it seems; or is about something else, whose columns may be called so.
bool is_about_login(std::string_view name) noexcept;
bool is_about_role(std::string_view name) noexcept;
bool is_about_other(std::string_view name) noexcept;

// Where in `command`, SQL held in a string, a password for a login would begin; npos: it sets none.
std::size_t set_password(std::string_view command) noexcept;

// JSON web tokens (RFC 7519, compact form), wherever they stand.
void find_web_tokens(std::string_view text, std::vector<SecretSpan>& out);
// SAML 2.0 responses in base64, wherever they stand.
void find_saml_responses(std::string_view text, std::vector<SecretSpan>& out);
// password=… of libpq connection strings and URIs, and scheme://user:password@host.
void find_connection_passwords(std::string_view text, std::vector<SecretSpan>& out);

}  // namespace hoopguard::record
