// A compact JSON Web Signature (RFC 7515), taken apart and not yet believed.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/token_key.hpp"
#include "identify/key_set.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hoopguard::identify {

struct SignedText {
    static constexpr std::size_t kMostBytes = 16 << 10;

    crypto::TokenAlgorithm algorithm;
    std::optional<std::string> key_id;
    std::optional<std::string> type;  // "typ"
    std::string_view signed_part;     // of the text that was parsed
    base::Bytes payload;
    base::Bytes signature;

    // Exactly three parts of strict base64url, a header without repeated members whose "alg" is one we know.
    // Refused are "crit", "b64" and "zip", which change what is signed, and every key that a header brings along:
    // it would let a token vouch for itself.
    static base::Result<SignedText> parse(std::string_view compact);

    // Whether the key that the set holds for this text signed it.
    enum class Check : std::uint8_t { kSigned, kUnknownKey, kAmbiguousKey, kWrongSignature };
    Check check(const KeySet& keys) const noexcept;
};

}  // namespace hoopguard::identify
