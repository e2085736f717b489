// SAML responses, verified outside of the server's processes: by program hoopguard-saml, which each call starts
// and which lies beside the server's libraries.
#pragma once

#include "identify/assertion.hpp"
#include "policy/image.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace hoopguard::identify {

struct SamlVerdict {
    std::optional<policy::Row> provider;  // nothing: refused
    Identity identity;
    std::string reason;  // why it is refused; for the journal, never for the client
};

// `response` is base64. An accepted assertion is used up by this. At most a few seconds. May throw pg::Error.
SamlVerdict verify_saml_response(const policy::Image& image, const std::string& response, std::int64_t now);

// What the program says of itself and its libraries; fails when it is missing or cannot run. May throw pg::Error.
base::Result<std::string> saml_program_version();

}  // namespace hoopguard::identify
