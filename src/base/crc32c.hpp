// CRC-32C (Castagnoli; RFC 3720 appendix B.4), incremental: the sum that tells torn and stray bytes apart.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace hoopguard::base {

// The CRC of what `crc` covers followed by `bytes`; start from 0.
// crc32c_extend(crc32c_extend(0, a), b) is the CRC of a and b joined.
std::uint32_t crc32c_extend(std::uint32_t crc, ByteView bytes) noexcept;

// The same for the eight little-endian bytes of a number.
std::uint32_t crc32c_extend_number(std::uint32_t crc, std::uint64_t number) noexcept;

// The same without the processor's instruction: what runs where there is none, kept callable for the tests.
std::uint32_t crc32c_extend_by_table(std::uint32_t crc, ByteView bytes) noexcept;

}  // namespace hoopguard::base
