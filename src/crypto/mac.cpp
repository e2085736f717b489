// HMAC-SHA-256 (RFC 2104, FIPS 198-1).
#include "crypto/mac.hpp"

#include "crypto/secret.hpp"

#include <algorithm>
#include <array>

namespace hoopguard::crypto {
namespace {

constexpr std::size_t kBlockSize = 64;

}  // namespace

HmacSha256::HmacSha256(base::ByteView key) noexcept {
    std::array<std::uint8_t, kBlockSize> block{};
    if (key.size() > kBlockSize) {
        Digest digest = sha256(key);
        std::copy(digest.begin(), digest.end(), block.begin());
        wipe(digest);
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    for (std::uint8_t& byte : block) byte ^= 0x36;
    inner_.update(block);
    for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5C;
    outer_.update(block);
    wipe(block);
}

HmacSha256::~HmacSha256() {
    wipe({reinterpret_cast<std::uint8_t*>(&inner_), sizeof(inner_)});
    wipe({reinterpret_cast<std::uint8_t*>(&outer_), sizeof(outer_)});
}

HmacSha256& HmacSha256::update(base::ByteView bytes) noexcept {
    inner_.update(bytes);
    return *this;
}

Digest HmacSha256::finish() noexcept {
    return outer_.update(inner_.finish()).finish();
}

}  // namespace hoopguard::crypto
