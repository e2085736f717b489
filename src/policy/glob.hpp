// Globs of guardrails: '*' stands for any text, the empty one too; '?' for one character; '\' takes the next
// character literally. Matching is linear in the text for each '*', without recursion.
#pragma once

#include <string_view>

namespace hoopguard::policy {

// Whether `pattern` matches the whole of `text`. Characters are UTF-8 ('?' takes a whole one); other bytes count
// as one character each.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

// Whether the pattern can match one text only, itself.
bool is_literal(std::string_view pattern) noexcept;

}  // namespace hoopguard::policy
