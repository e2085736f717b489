// Format-preserving encryption gives back what was encrypted, in the same alphabet, and leaves alone what it
// refuses; what masks make of a text by it keeps digits where digits were, and stays within its room.
#include "crypto/ff1.hpp"
#include "mask/keyed_text.hpp"

#include "demand.hpp"

#include <algorithm>
#include <vector>

using namespace hoopguard;

namespace {

// The first bytes choose key and radix, the next ones the tweak; numerals are what is left.
void round_trip(base::ByteView input) {
    constexpr std::size_t kKeySizes[] = {16, 24, 32};
    const base::Bytes key(kKeySizes[input[0] % 3], input[0]);
    const std::uint32_t radix = std::uint32_t{base::get_u16(input.data() + 1)} + 1;
    const std::size_t tweak_size = std::min<std::size_t>(input[3] % 64, input.size() - 4);
    const base::ByteView tweak = input.subspan(4, tweak_size);
    input = input.subspan(4 + tweak_size);
    std::vector<std::uint16_t> numerals;
    for (std::size_t i = 0; i + 1 < input.size(); i += 2)
        numerals.push_back(static_cast<std::uint16_t>(base::get_u16(input.data() + i) % radix));
    const auto before = numerals;
    const auto ff1 = crypto::Ff1::from_key(key);
    demand(ff1.ok());
    const bool possible = radix >= 2 && numerals.size() >= 2 && numerals.size() <= crypto::Ff1::longest(radix);
    const bool done = ff1->encrypt(radix, tweak, numerals);
    demand(done == possible);
    if (!done) {
        demand(numerals == before);
        return;
    }
    demand(std::ranges::all_of(numerals, [&](std::uint32_t one) { return one < radix; }));
    demand(ff1->decrypt(radix, tweak, numerals) && numerals == before);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Of text that is ASCII alone, where one byte is one character.
void masked_in_place(const mask::MaskKeys& keys, std::string_view text) {
    std::vector<char> room(text.size());
    const char* const end = mask::put_encrypted(keys, mask::utf8_step, text, room.data());
    demand(end <= room.data() + room.size());
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return;
    demand(end == room.data() + room.size());
    for (std::size_t i = 0; i < text.size(); ++i) demand(is_digit(text[i]) == is_digit(room[i]));
    std::vector<char> again(text.size());
    mask::put_encrypted(keys, mask::utf8_step, text, again.data());
    demand(room == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto keys = mask::MaskKeys::from_secret(base::bytes_of("a secret of sixteen bytes or more"));
    if (size < 4) return 0;
    round_trip({data, size});
    masked_in_place(*keys, base::text_of({data, size}));
    return 0;
}
