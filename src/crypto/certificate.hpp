// Certificates as carriers of a pinned public key: nothing of the chain, of names or of times is looked at.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace hoopguard::crypto {

// Whether those are the DER bytes of one X.509 certificate, with a key that XML signatures are accepted of: RSA of
// 2048 to 8192 bits, or EC on P-256, P-384 or P-521.
base::Status check_certificate(base::ByteView der);

}  // namespace hoopguard::crypto
