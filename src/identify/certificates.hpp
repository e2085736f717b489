// The certificates that a SAML provider signs with, as its row holds them: a JSON Web Key Set whose keys have
// "x5c" (RFC 7517 section 4.7), of which the first certificate counts.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace hoopguard::identify {

inline constexpr std::size_t kMostCertificates = 10;

// DER, at least one. A set that shows secrets is refused whole, as KeySet does.
base::Result<std::vector<base::Bytes>> parse_certificates(std::string_view json);

}  // namespace hoopguard::identify
