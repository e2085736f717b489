// FF1, SP 800-38G section 5.1 and algorithms 7 and 8, with its names.
#include "crypto/ff1.hpp"

#include <openssl/evp.h>

#include <cstring>

namespace hoopguard::crypto {

namespace {

using Wide = unsigned __int128;

constexpr unsigned kMostBits = 119;  // of a half: a byte more still fits 128 bits
constexpr std::size_t kBlock = 16;
constexpr int kRounds = 10;

using Block = std::uint8_t[kBlock];

// radix^count; 0 when it has more than kMostBits bits.
Wide power(std::uint32_t radix, std::size_t count) noexcept {
    constexpr Wide kMost = (Wide{1} << kMostBits) - 1;
    Wide value = 1;
    for (; count > 0; --count) {
        if (value > kMost / radix) return 0;  // asked before: a product may wrap around to a small one
        value *= radix;
    }
    return value;
}

unsigned bit_length(Wide value) noexcept {
    unsigned bits = 0;
    for (; value != 0; value >>= 1) ++bits;
    return bits;
}

Wide number_of(std::uint32_t radix, std::span<const std::uint16_t> numerals) noexcept {
    Wide value = 0;
    for (const std::uint16_t one : numerals) value = value * radix + one;
    return value;
}

void write_numerals(std::uint32_t radix, Wide value, std::span<std::uint16_t> to) noexcept {
    for (std::size_t i = to.size(); i > 0; --i) {
        to[i - 1] = static_cast<std::uint16_t>(value % radix);
        value /= radix;
    }
}

bool encrypt_block(void* aes, Block& block) noexcept {
    int written = 0;
    return EVP_EncryptUpdate(static_cast<EVP_CIPHER_CTX*>(aes), block, &written, block, kBlock) == 1 &&
           written == static_cast<int>(kBlock);
}

// The running state of PRF: CBC-MAC, fed byte by byte.
class Mac {
 public:
    explicit Mac(void* aes) noexcept : aes_(aes) {}
    void add(std::uint8_t byte) noexcept {
        block_[at_++] ^= byte;
        if (at_ < kBlock) return;
        good_ = good_ && encrypt_block(aes_, block_);
        at_ = 0;
    }
    void add(Wide value, std::size_t bytes) noexcept {
        for (std::size_t i = bytes; i > 0; --i)
            add(i > sizeof(Wide) ? 0 : static_cast<std::uint8_t>(value >> (8 * (i - 1))));
    }
    bool good() const noexcept { return good_ && at_ == 0; }
    const Block& sum() const noexcept { return block_; }

 private:
    void* aes_;
    Block block_ = {};
    std::size_t at_ = 0;
    bool good_ = true;
};

}  // namespace

// What stays the same in all rounds.
struct Ff1::Rounds {
    void* aes;
    std::uint32_t radix;
    base::ByteView tweak;
    std::size_t u, v, b, d;

    // y of step 6.iv, modulo `modulus`; false when AES failed.
    bool step(int round, Wide half, Wide modulus, Wide* y) const noexcept;
};

bool Ff1::Rounds::step(int round, Wide half, Wide modulus, Wide* y) const noexcept {
    Mac mac(aes);
    for (const std::uint8_t byte : {1, 2, 1}) mac.add(byte);
    mac.add(radix, 3);
    mac.add(10);
    mac.add(static_cast<std::uint8_t>(u));
    mac.add(u + v, 4);
    mac.add(tweak.size(), 4);
    for (const std::uint8_t byte : tweak) mac.add(byte);
    for (std::size_t pad = (kBlock - (tweak.size() + b + 1) % kBlock) % kBlock; pad > 0; --pad) mac.add(0);
    mac.add(static_cast<std::uint8_t>(round));
    mac.add(half, b);
    if (!mac.good()) return false;
    Wide value = 0;
    Block block;
    for (std::size_t taken = 0; taken < d; ++taken) {
        std::size_t const at = taken % kBlock;
        if (at == 0) {
            std::memcpy(block, mac.sum(), kBlock);
            std::size_t const counter = taken / kBlock;
            block[kBlock - 1] ^= static_cast<std::uint8_t>(counter);
            if (counter > 0 && !encrypt_block(aes, block)) return false;
        }
        value = ((value << 8) + block[at]) % modulus;
    }
    *y = value;
    return true;
}

void Ff1::Release::operator()(void* context) const noexcept {
    EVP_CIPHER_CTX_free(static_cast<EVP_CIPHER_CTX*>(context));
}

base::Result<Ff1> Ff1::from_key(base::ByteView key) {
    const EVP_CIPHER* cipher = nullptr;
    switch (key.size()) {
        case 16: cipher = EVP_aes_128_ecb(); break;
        case 24: cipher = EVP_aes_192_ecb(); break;
        case 32: cipher = EVP_aes_256_ecb(); break;
        default: return base::fail("a key of FF1 has 16, 24 or 32 bytes");
    }
    Ff1 made;
    made.aes_.reset(EVP_CIPHER_CTX_new());
    auto* const context = static_cast<EVP_CIPHER_CTX*>(made.aes_.get());
    if (context == nullptr || EVP_EncryptInit_ex(context, cipher, nullptr, key.data(), nullptr) != 1 ||
        EVP_CIPHER_CTX_set_padding(context, 0) != 1)
        return base::fail("OpenSSL cannot set AES up");
    return made;
}

std::size_t Ff1::longest(std::uint32_t radix) noexcept {
    std::size_t half = 1;
    while (power(radix, half + 1) != 0) ++half;
    return 2 * half;
}

bool Ff1::run(std::uint32_t radix, base::ByteView tweak, Numerals numerals, bool forward) const noexcept {
    if (radix < 2 || radix > 65536 || numerals.size() < 2) return false;
    Rounds rounds = {aes_.get(), radix, tweak, numerals.size() / 2, numerals.size() - numerals.size() / 2, 0, 0};
    Wide const of_u = power(radix, rounds.u);
    Wide const of_v = power(radix, rounds.v);
    if (of_u == 0 || of_v == 0) return false;
    rounds.b = (bit_length(of_v - 1) + 7) / 8;
    rounds.d = 4 * ((rounds.b + 3) / 4) + 4;
    Wide a = number_of(radix, numerals.first(rounds.u));
    Wide b = number_of(radix, numerals.subspan(rounds.u));
    for (int i = 0; i < kRounds; ++i) {
        int const round = forward ? i : kRounds - 1 - i;
        Wide const modulus = round % 2 == 0 ? of_u : of_v;
        Wide y = 0;
        if (!rounds.step(round, forward ? b : a, modulus, &y)) return false;
        if (forward) {
            Wide const c = (a + y) % modulus;
            a = b;
            b = c;
        } else {
            Wide const c = (b + modulus - y) % modulus;
            b = a;
            a = c;
        }
    }
    write_numerals(radix, a, numerals.first(rounds.u));
    write_numerals(radix, b, numerals.subspan(rounds.u));
    return true;
}

bool Ff1::encrypt(std::uint32_t radix, base::ByteView tweak, Numerals numerals) const noexcept {
    return run(radix, tweak, numerals, true);
}

bool Ff1::decrypt(std::uint32_t radix, base::ByteView tweak, Numerals numerals) const noexcept {
    return run(radix, tweak, numerals, false);
}

}  // namespace hoopguard::crypto
