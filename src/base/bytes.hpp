// Views of bytes and little-endian numbers in them.
// Nothing here allocates or reads beyond what it is given; the caller vouches for the room.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace hoopguard::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// The bytes of a text, not owned.
inline ByteView bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The text that the bytes spell, not owned and not checked for an encoding.
inline std::string_view text_of(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads an unsigned little-endian number; `at` needs no alignment. One load where the machine is
// little-endian too: compilers do not see that in a loop over bytes.
template <class Number>
inline Number get_number(const std::uint8_t* at) noexcept {
    Number value = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&value, at, sizeof(value));
    } else {
        for (std::size_t i = sizeof(Number); i-- > 0;) value = static_cast<Number>(value << 8 | at[i]);
    }
    return value;
}

template <class Number>
inline void put_number(std::uint8_t* at, Number value) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(at, &value, sizeof(value));
    } else {
        for (std::size_t i = 0; i < sizeof(Number); ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

// The number with its bytes in the opposite order: what to put for a big-endian field, and after getting one.
template <class Number>
inline Number swapped(Number value) noexcept {
    if constexpr (sizeof(Number) == 1)
        return value;
    else if constexpr (sizeof(Number) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(Number) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

inline std::uint16_t get_u16(const std::uint8_t* at) noexcept {
    return get_number<std::uint16_t>(at);
}
inline std::uint32_t get_u32(const std::uint8_t* at) noexcept {
    return get_number<std::uint32_t>(at);
}
inline std::uint64_t get_u64(const std::uint8_t* at) noexcept {
    return get_number<std::uint64_t>(at);
}
inline void put_u16(std::uint8_t* at, std::uint16_t value) noexcept {
    put_number(at, value);
}
inline void put_u32(std::uint8_t* at, std::uint32_t value) noexcept {
    put_number(at, value);
}
inline void put_u64(std::uint8_t* at, std::uint64_t value) noexcept {
    put_number(at, value);
}

}  // namespace hoopguard::base
