// The public keys of an identity provider: a JSON Web Key Set (RFC 7517).
//
// Keys that are not for verifying signatures with an accepted algorithm are passed over, as RFC 7517 section 5
// asks; a set that shows secrets (symmetric or private keys) is refused whole, because it was never meant to be
// public.
#pragma once

#include "base/json.hpp"
#include "crypto/token_key.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::identify {

struct SetKey {
    std::optional<std::string> id;                         // "kid"
    std::optional<crypto::TokenAlgorithm> only_algorithm;  // "alg"
    crypto::TokenKey key;
};

class KeySet {
 public:
    static constexpr std::size_t kMostBytes = 256 << 10;
    static constexpr std::size_t kMostKeys = 100;

    // {"keys": [...]}.
    static base::Result<KeySet> parse(std::string_view json);
    // Reads only the keys named `id`, which is all that verifying one token needs.
    static base::Result<KeySet> parse(std::string_view json, std::string_view id);

    const std::vector<SetKey>& keys() const noexcept { return keys_; }

    enum class Found : std::uint8_t { kOne, kNone, kAmbiguous };
    struct Choice {
        Found found = Found::kNone;
        const crypto::TokenKey* key = nullptr;
    };
    // The key of that name that fits the algorithm. A token without a name is of the only key that fits.
    Choice choose(const std::optional<std::string>& id, crypto::TokenAlgorithm algorithm) const noexcept;

 private:
    static base::Result<KeySet> parse(std::string_view json, const std::string_view* id);
    std::vector<SetKey> keys_;
};

}  // namespace hoopguard::identify
