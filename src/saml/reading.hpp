// What signed bytes say: the assertion, read from them alone.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "identify/assertion.hpp"

#include <string>

namespace hoopguard::saml {

// `bytes` are canonical XML whose signature holds; the assertion must be the one of that ID. Fails on whatever
// SAML core would have a reader understand and this one does not.
base::Result<identify::Assertion> read_assertion(base::ByteView bytes, const std::string& id);

}  // namespace hoopguard::saml
