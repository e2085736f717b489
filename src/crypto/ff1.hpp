// Format-preserving encryption: FF1 of NIST SP 800-38G, over AES.
// A key belongs to the process that made it. Halves of more than 119 bits are refused: nothing here needs them,
// and so all arithmetic fits 128 bits.
#pragma once

#include "base/result.hpp"
#include "crypto/secret.hpp"

#include <memory>
#include <span>

namespace hoopguard::crypto {

class Ff1 {
 public:
    // Numerals below `radix`, most significant first.
    using Numerals = std::span<std::uint16_t>;

    // `key`: 16, 24 or 32 bytes.
    static base::Result<Ff1> from_key(base::ByteView key);

    // How many numerals of `radix` (2 to 65536) can be encrypted together.
    static std::size_t longest(std::uint32_t radix) noexcept;

    // In place. False when there are fewer than two numerals, or more than longest(), or OpenSSL fails; then they
    // are as they were.
    bool encrypt(std::uint32_t radix, base::ByteView tweak, Numerals numerals) const noexcept;
    bool decrypt(std::uint32_t radix, base::ByteView tweak, Numerals numerals) const noexcept;

 private:
    struct Release {
        void operator()(void* context) const noexcept;
    };
    struct Rounds;
    Ff1() noexcept = default;
    bool run(std::uint32_t radix, base::ByteView tweak, Numerals numerals, bool forward) const noexcept;

    std::unique_ptr<void, Release> aes_;  // EVP_CIPHER_CTX, ECB
};

}  // namespace hoopguard::crypto
