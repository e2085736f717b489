// What hoopguard-saml does: a question in JSON, an answer in JSON.
//
//   {"response": "<base64>", "providers": [{"issuer": "…", "algorithms": ["RS256", …], "certificates":
//   ["<base64>", …]}]}
//   {"provider": 0, "assertion": {…}}          verified: which of the providers, counted from 0, and what it says
//   {"reason": "…"}                            refused
#pragma once

#include "base/result.hpp"
#include "identify/assertion.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::saml {

struct TrustedProvider {
    std::string issuer;
    std::vector<std::string> algorithms;
    std::vector<base::Bytes> certificates;  // DER
};

struct Accepted {
    std::size_t provider = 0;
    identify::Assertion assertion;
};

// The first provider of the assertion's issuer that has signed it.
base::Result<Accepted> verify_response(base::ByteView xml, const std::vector<TrustedProvider>& providers);

// Never fails: what cannot be answered is refused.
std::string answer(std::string_view question);

}  // namespace hoopguard::saml
