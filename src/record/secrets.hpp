// Passwords and tokens in SQL text and in bound values: found, so that they are never written in clear.
// It looks at tokens, not at trees, because a text that does not parse holds its password all the same; where
// it cannot tell it takes too much rather than too little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::record {

// What stands where a secret was.
inline constexpr std::string_view kSecretMark = "***";

struct SecretSpan {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct Secrets {
    std::vector<SecretSpan> spans;     // ascending, apart from each other
    std::vector<unsigned> parameters;  // numbers of parameters ($1) that carry one
    bool any_parameter = false;        // a call that takes one is in the text: variables may carry it too
    bool empty() const noexcept { return spans.empty() && parameters.empty() && !any_parameter; }
    bool hides(unsigned parameter) const noexcept;
};

// False only for a text in which find_secrets() would find nothing. Meant for every statement: cheap.
bool may_hold_secret(std::string_view text) noexcept;

// Passwords of roles, subscriptions, user mappings and connection strings, tokens given to login() and
// issue_credential(), JSON web tokens and SAML responses wherever they stand. Without `standard_strings` a
// backslash escapes in plain strings.
Secrets find_secrets(std::string_view text, bool standard_strings);

// Whether a JSON web token or a SAML response may stand somewhere in it: cheap.
bool may_hold_token(std::string_view text) noexcept;

// As find_secrets(), for a value that is not SQL, but may be a connection string or a token.
std::vector<SecretSpan> find_value_secrets(std::string_view value);

// Appends text[from, to) to `out` with a mark for each span in it.
void append_without(std::string& out, std::string_view text, const std::vector<SecretSpan>& spans,
                    std::size_t from, std::size_t to);
std::string without_spans(std::string_view text, const std::vector<SecretSpan>& spans);

// A message about `text`, which may quote what the spans hold, with marks there instead.
std::string without_quotes_of(std::string_view message, std::string_view text,
                              const std::vector<SecretSpan>& spans);

}  // namespace hoopguard::record
