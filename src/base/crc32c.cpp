// CRC-32C by the processor's instruction where it has one, by table elsewhere.
#include "base/crc32c.hpp"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hoopguard::base {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82F63B78;

// kTables[k][b]: the CRC of byte b followed by k zero bytes ("slicing by eight").
constexpr auto kTables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kReversedPolynomial : 0);
        tables[0][byte] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t byte = 0; byte < 256; ++byte)
            tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xFF];
    return tables;
}();

#if defined(__x86_64__)
[[gnu::hot]] __attribute__((target("sse4.2"))) std::uint32_t extend_by_instruction(std::uint32_t crc,
                                                                                   ByteView bytes) noexcept {
    std::uint64_t state = ~crc;
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) state = _mm_crc32_u64(state, get_u64(at));
    auto narrow = static_cast<std::uint32_t>(state);
    for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
    return ~narrow;
}
#endif

}  // namespace

[[gnu::noinline]] std::uint32_t crc32c_extend_by_table(std::uint32_t crc, ByteView bytes) noexcept {
    crc = ~crc;
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        const std::uint32_t low = get_u32(at) ^ crc;
        const std::uint32_t high = get_u32(at + 4);
        crc = kTables[7][low & 0xFF] ^ kTables[6][low >> 8 & 0xFF] ^ kTables[5][low >> 16 & 0xFF] ^
              kTables[4][low >> 24] ^ kTables[3][high & 0xFF] ^ kTables[2][high >> 8 & 0xFF] ^
              kTables[1][high >> 16 & 0xFF] ^ kTables[0][high >> 24];
    }
    for (; left > 0; ++at, --left) crc = crc >> 8 ^ kTables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

[[gnu::hot]] std::uint32_t crc32c_extend(std::uint32_t crc, ByteView bytes) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return extend_by_instruction(crc, bytes);
#endif
    return crc32c_extend_by_table(crc, bytes);
}

[[gnu::hot]] std::uint32_t crc32c_extend_number(std::uint32_t crc, std::uint64_t number) noexcept {
    std::uint8_t bytes[8];
    put_u64(bytes, number);
    return crc32c_extend(crc, bytes);
}

}  // namespace hoopguard::base
