// What stands before a value and says what it is: "born 3 May 1980", "Passport No. C01X00T47", "api_key = …".
#pragma once

#include "detect/finding.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace hoopguard::detect {

enum class Topic : std::uint8_t { kBirth = 1, kPassport = 2, kPhone = 4, kSsn = 8 };

struct Topics {
    std::uint8_t bits = 0;
    bool has(Topic topic) const noexcept { return (bits & static_cast<std::uint8_t>(topic)) != 0; }
};

// Those whose words stand shortly before `at`.
Topics topics_before(std::string_view text, std::size_t at) noexcept;

// The word that a colon or an equals sign at `at` gives a value to, quotes around it left out; empty: none.
std::string_view key_before(std::string_view text, std::size_t at) noexcept;

// What values of a field of that name hold, whatever they look like: password, first_name, date_of_birth …
// Empty: the name says nothing.
std::optional<Kind> kind_of_field(std::string_view name) noexcept;
// Likewise for a column, whose name may have words before: work_email, shipping_address.
std::optional<Kind> kind_of_column(std::string_view name) noexcept;
// Whether it names a password, a token or a key.
bool names_secret(std::string_view name) noexcept;

}  // namespace hoopguard::detect
