// Derivation: HMAC-SHA-256 of the secret over a name for each key.
#include "mask/keys.hpp"

#include <array>

namespace hoopguard::mask {

namespace {

crypto::Digest derive(base::ByteView secret, std::string_view name) noexcept {
    return crypto::HmacSha256(secret).update(base::bytes_of(name)).finish();
}

std::uint64_t first_word(const crypto::Digest& sum) noexcept {
    return base::get_u64(sum.data());
}

}  // namespace

base::Result<MaskKeys> MaskKeys::from_secret(base::ByteView secret) {
    auto sum_key = derive(secret, "hoopguard mask sum");
    auto ff1_key = derive(secret, "hoopguard mask ff1");
    auto ff1 = crypto::Ff1::from_key(ff1_key);
    crypto::HmacSha256 const mac(sum_key);
    crypto::wipe(sum_key);
    crypto::wipe(ff1_key);
    if (!ff1) return ff1.error();
    return MaskKeys(mac, std::move(*ff1));
}

crypto::Digest MaskKeys::sum(Use use, base::ByteView value) const noexcept {
    auto const label = static_cast<std::uint8_t>(use);
    return crypto::HmacSha256(mac_).update({&label, 1}).update(value).finish();
}

std::uint64_t MaskKeys::word(Use use, std::uint64_t value) const noexcept {
    std::uint8_t bytes[8];
    base::put_u64(bytes, value);
    return first_word(sum(use, bytes));
}

double MaskKeys::shift(std::uint64_t value) const noexcept {
    constexpr double kMost = 9007199254740992.0;  // 2^53
    return static_cast<double>(word(Use::kNoise, value) >> 11) / kMost * 2 - 1;
}

std::uint64_t MaskKeys::permute(std::uint64_t value, unsigned bits) const noexcept {
    std::array<std::uint16_t, 64> numerals = {};
    crypto::Ff1::Numerals const used(numerals.data(), bits);
    for (unsigned i = 0; i < bits; ++i) used[i] = static_cast<std::uint16_t>(value >> (bits - 1 - i) & 1);
    if (!ff1_.encrypt(2, {}, used)) return word(Use::kFpe, value) >> (64 - bits);
    std::uint64_t permuted = 0;
    for (const auto bit : used) permuted = permuted << 1 | bit;
    return permuted;
}

}  // namespace hoopguard::mask
