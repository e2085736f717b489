// Characters of one kind are gathered from the whole value, encrypted in pieces that FF1 takes, and put back.
#include "mask/keyed_text.hpp"

#include <array>
#include <cstring>

namespace hoopguard::mask {

namespace {

enum Kind : std::uint8_t { kDigit, kLower, kUpper, kKinds };

struct Alphabet {
    std::uint32_t radix;
    char first;
    std::size_t shortest;  // from which on there are a million values
    std::size_t piece;     // of characters encrypted together
};
constexpr Alphabet kAlphabets[kKinds] = {{10, '0', 6, 56}, {26, 'a', 5, 40}, {26, 'A', 5, 40}};
constexpr std::size_t kLongestPiece = 56 + 6;

int kind_of(char c) noexcept {
    if (c >= '0' && c <= '9') return kDigit;
    if (c >= 'a' && c <= 'z') return kLower;
    if (c >= 'A' && c <= 'Z') return kUpper;
    return -1;
}

// Bytes that look random, as many as are asked for, from a value's sum.
class Stream {
 public:
    Stream(const MaskKeys& keys, Use use, base::ByteView value) noexcept
        : keys_(&keys), use_(use), block_(keys.sum(use, value)) {}
    std::uint8_t next() noexcept {
        if (at_ == block_.size()) {
            block_ = keys_->sum(use_, block_);
            at_ = 0;
        }
        return block_[at_++];
    }
    std::uint32_t below(std::uint32_t limit) noexcept {
        std::uint32_t const drawn = next() | std::uint32_t{next()} << 8 | std::uint32_t{next()} << 16;
        return drawn % limit;
    }

 private:
    const MaskKeys* keys_;
    Use use_;
    crypto::Digest block_;
    std::size_t at_ = 0;
};

// The next character of `kind` at or after `at`.
std::size_t find_kind(std::span<const char> text, std::size_t at, int kind) noexcept {
    while (at < text.size() && kind_of(text[at]) != kind) ++at;
    return at;
}

// The characters of one kind, in pieces.
void encrypt_kind(const MaskKeys& keys, std::span<char> text, Kind kind, std::size_t count,
                  Stream& stream) noexcept {
    const Alphabet& alphabet = kAlphabets[kind];
    std::array<std::uint16_t, kLongestPiece> numerals;
    std::size_t at = 0;
    std::uint8_t piece_number = 0;
    while (count > 0) {
        // No rest is left that is too short to be encrypted on its own.
        std::size_t taken = std::min(count, alphabet.piece);
        if (count - taken < alphabet.shortest) taken = std::min(count, taken + alphabet.shortest);
        if (taken > count || (count > taken && count - taken < alphabet.shortest)) taken = count;
        if (taken > kLongestPiece) taken = kLongestPiece;
        std::size_t from = at;
        for (std::size_t i = 0; i < taken; ++i) {
            from = find_kind(text, from, kind);
            numerals[i] = static_cast<std::uint16_t>(text[from++] - alphabet.first);
        }
        crypto::Ff1::Numerals const used(numerals.data(), taken);
        bool const whole = taken >= alphabet.shortest &&
                           keys.ff1().encrypt(alphabet.radix, {&piece_number, piece_number != 0 ? 1u : 0u}, used);
        for (std::size_t i = 0; i < taken; ++i) {
            if (!whole) numerals[i] = static_cast<std::uint16_t>(stream.below(alphabet.radix));
            at = find_kind(text, at, kind);
            text[at++] = static_cast<char>(alphabet.first + numerals[i]);
        }
        count -= taken;
        ++piece_number;
    }
}

constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr std::string_view kConsonants = "bdfgklmnprstvzhj";
constexpr std::string_view kVowels = "aeiou";

char* put_name(Stream& stream, unsigned syllables, char* out) noexcept {
    char* const begin = out;
    for (unsigned i = 0; i < syllables; ++i) {
        *out++ = kConsonants[stream.below(static_cast<std::uint32_t>(kConsonants.size()))];
        *out++ = kVowels[stream.below(static_cast<std::uint32_t>(kVowels.size()))];
    }
    *begin = static_cast<char>(*begin - 'a' + 'A');
    return out;
}

}  // namespace

char* put_token(const MaskKeys& keys, std::string_view value, char* out) noexcept {
    auto const sum = keys.sum(Use::kHash, base::bytes_of(value));
    for (std::size_t i = 0; i < kTokenSize / 2; ++i) {
        *out++ = kHexadecimal[sum[i] >> 4];
        *out++ = kHexadecimal[sum[i] & 15];
    }
    return out;
}

char* put_encrypted(const MaskKeys& keys, CharacterStep step, std::string_view value, char* out) noexcept {
    Stream stream(keys, Use::kFpe, base::bytes_of(value));
    std::size_t counts[kKinds] = {};
    char* end = out;
    for (const char *at = value.data(), *last = at + value.size(); at < last;) {
        std::size_t const size = step(at, last);
        int const kind = kind_of(*at);
        if (size == 1 && static_cast<unsigned char>(*at) < 0x80) {
            *end++ = *at;
            if (kind >= 0) ++counts[kind];
        } else {
            // Not counted among the letters yet: what it was must not shine through.
            *end++ = '\x7F';
        }
        at += size;
    }
    std::span<char> const text(out, static_cast<std::size_t>(end - out));
    for (const Kind kind : {kDigit, kLower, kUpper})
        if (counts[kind] > 0) encrypt_kind(keys, text, kind, counts[kind], stream);
    for (char& c : text)
        if (c == '\x7F') c = static_cast<char>('a' + stream.below(26));
    return end;
}

char* put_pseudonym(const MaskKeys& keys, std::string_view value, char* out) noexcept {
    Stream stream(keys, Use::kPseudonym, base::bytes_of(value));
    out = put_name(stream, 3, out);
    *out++ = ' ';
    return put_name(stream, 5, out);
}

void encrypt_digits(const MaskKeys& keys, std::span<char> text) noexcept {
    std::size_t const first = find_kind(text, 0, kDigit);
    if (first == text.size()) return;
    std::size_t count = 0;
    for (std::size_t at = first; at < text.size(); at = find_kind(text, at + 1, kDigit)) ++count;
    Stream stream(keys, Use::kFpe, base::bytes_of(std::string_view(text.data(), text.size())));
    bool const led = text[first] != '0';
    // Walking on until the first digit is right keeps different values different.
    constexpr int kMostSteps = 64;
    for (int i = 0; i < kMostSteps; ++i) {
        encrypt_kind(keys, text, kDigit, count, stream);
        if (!led || text[first] != '0') return;
    }
    text[first] = '1';
}

}  // namespace hoopguard::mask
