// Random bytes fit for keys and nonces.
#pragma once

#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace hoopguard::crypto {

// Fills with bytes from OpenSSL's private generator, which reseeds itself after a fork.
base::Status fill_random(std::span<std::uint8_t> bytes) noexcept;

base::Result<Secret> random_secret(std::size_t size);

}  // namespace hoopguard::crypto
