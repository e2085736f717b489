// What was found in a value, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hoopguard::detect {

// Named as the data classes of the same meaning.
enum class Kind : std::uint8_t {
    kEmail,
    kPhone,
    kSsn,
    kCard,
    kIban,
    kPersonName,
    kAddress,
    kBirthDate,
    kIpAddress,
    kSecret,
    kPassport,
    kCount,
};

std::string_view name_of(Kind kind) noexcept;

struct Finding {
    std::size_t begin = 0;
    std::size_t end = 0;
    Kind kind = Kind::kEmail;
    // How sure: 0.95 where a checksum or an unmistakable form says so, 0.5 where only the surroundings do.
    float score = 0;
};

using Findings = std::vector<Finding>;

}  // namespace hoopguard::detect
