// The key of the digests that stand for statement texts not recorded in full. Without it nobody can find out a
// password by summing guesses; with it the exact text can be shown to be the one that ran.
#pragma once

#include "crypto/secret.hpp"
#include "record/files.hpp"

#include <string>

namespace hoopguard::record {

inline constexpr std::size_t kStatementKeySize = 32;
inline constexpr const char* kStatementKeyName = "statement.key";

// Makes the key in `directory`, which is made when missing, unless it is there. One process at a time.
// An errno, 0 for success.
int make_statement_key(Files& files, const std::string& directory);

// Empty when it cannot be had.
crypto::Secret read_statement_key(Files& files, const std::string& directory);

}  // namespace hoopguard::record
