// Examining a token against the policy in force: whose it is, and what role it gives.
#pragma once

#include "identify/bearer.hpp"
#include "identify/token.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::identify {

struct Examination {
    std::optional<Bearer> bearer;  // nothing: refused
    std::string reason;            // why; for the journal, never for the client
};

// A JSON Web Token, or a SAML response in base64. May throw pg::Refusal (the policy cannot be had) and pg::Error.
// Waits for no network: the keys are in the policy, or where the broker has put them.
Examination examine(std::string_view token);

// The same of an identity that was verified before, when a credential was issued for it: by the policy in force
// now.
Examination examine_again(std::string_view provider, Identity identity);

// The path of the file that holds the fetched keys of a provider.
std::string fetched_keys_path(std::string_view provider);

}  // namespace hoopguard::identify
