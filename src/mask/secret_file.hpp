// The file that holds the mask secret: 32 bytes, readable by the server's user alone.
#pragma once

#include "record/files.hpp"

#include <span>
#include <string>

namespace hoopguard::mask {

inline constexpr std::size_t kSecretSize = 32;
inline constexpr const char* kSecretName = "mask.secret";

// Makes the file in `directory` (made when missing) from random bytes, durable, unless it is there. An errno, 0
// for success. One process at a time.
int make_secret(record::Files& files, const std::string& directory);

// Reads it; refuses (EACCES) a file that others may read. An errno, 0 for success.
int read_secret(record::Files& files, const std::string& directory, std::span<std::uint8_t, kSecretSize> secret);

}  // namespace hoopguard::mask
