// The text kernels. They only copy whole characters and ASCII.
#include "mask/text_kernel.hpp"

#include "mask/keyed_text.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hoopguard::mask {

namespace {

constexpr std::string_view kStars = "***";
constexpr std::string_view kHidden = "****";
constexpr std::size_t kLongestLabel = 24;  // of a top-level domain shown as it is

// Bytes from `begin` to before `end`, both within `text`. substr() would ask whether they are.
std::string_view cut(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    return {text.data() + begin, end - begin};
}

char* put(char* out, std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

// The first `count` characters of `text`; all of it when it has no more.
std::string_view first_characters(CharacterStep step, std::string_view text, std::size_t count) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (; count > 0 && at < end; --count) at += step(at, end);
    return {text.data(), static_cast<std::size_t>(at - text.data())};
}

std::size_t characters(CharacterStep step, std::string_view text) noexcept {
    std::size_t count = 0;
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at < end; at += step(at, end)) ++count;
    return count;
}

// In words, the last of which overlaps the one before: values are short.
bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t kHighBits = 0x8080808080808080;
    const auto word_at = [&text](std::size_t at) noexcept {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, sizeof word);
        return word;
    };
    std::uint64_t seen = 0;
    if (text.size() >= sizeof seen) {
        for (std::size_t at = 0; at + sizeof seen < text.size(); at += sizeof seen) seen |= word_at(at);
        seen |= word_at(text.size() - sizeof seen);
    } else {
        for (const char c : text) seen |= static_cast<unsigned char>(c);
    }
    return (seen & kHighBits) == 0;
}

char* put_partial(const Method& method, CharacterStep step, std::string_view value, char* out) noexcept {
    const std::size_t kept = std::size_t{method.prefix} + method.suffix;
    if (is_ascii(value)) {
        if (value.size() < 2 * kept) return put(out, kHidden);
        out = put(put(out, cut(value, 0, method.prefix)), kHidden);
        return put(out, cut(value, value.size() - method.suffix, value.size()));
    }
    const std::size_t count = characters(step, value);
    if (count < 2 * kept) return put(out, kHidden);
    out = put(out, first_characters(step, value, method.prefix));
    out = put(out, kHidden);
    return put(out, cut(value, first_characters(step, value, count - method.suffix).size(), value.size()));
}

// Where the last '@' of `text` is; npos: nowhere.
std::size_t find_last_at(std::string_view text) noexcept {
    std::size_t left = text.size();
#ifdef __SSE2__
    constexpr std::size_t kWidth = 16;
    const __m128i wanted = _mm_set1_epi8('@');
    for (; left >= kWidth; left -= kWidth) {
        __m128i bytes;
        std::memcpy(&bytes, text.data() + left - kWidth, kWidth);
        const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)));
        if (found != 0) return left - kWidth + static_cast<std::size_t>(std::bit_width(found)) - 1;
    }
#endif
    while (left > 0)
        if (text[--left] == '@') return left;
    return std::string_view::npos;
}

bool is_letter(char c) noexcept {
    return static_cast<unsigned char>((c | 0x20) - 'a') < 26;
}

// The last label of a domain with its dot, where it may be shown as it is and another label stands before it; else
// nothing.
std::string_view last_label(std::string_view domain) noexcept {
    std::size_t size = 0;
    while (size < domain.size() && size < kLongestLabel && is_letter(domain[domain.size() - 1 - size])) ++size;
    const bool shown = size > 0 && size + 1 < domain.size() && domain[domain.size() - 1 - size] == '.';
    return shown ? cut(domain, domain.size() - 1 - size, domain.size()) : std::string_view();
}

// The first character, where it does not give the whole of `part` away. `part` is not empty.
[[gnu::always_inline]] inline char* put_initial(CharacterStep step, std::string_view part, char* out) noexcept {
    const char* const begin = part.data();
    const bool ascii = static_cast<signed char>(*begin) >= 0;
    const std::size_t length = ascii ? 1 : step(begin, begin + part.size());
    if (length == part.size()) return put(out, kStars);
    if (length == 1)
        *out++ = *begin;
    else
        out = put(out, cut(part, 0, length));
    return put(out, kStars);
}

char* put_email(CharacterStep step, std::string_view value, char* out) noexcept {
    const auto at = find_last_at(value);
    if (at == std::string_view::npos || at == 0 || at + 1 == value.size()) return put(out, kStars);
    out = put_initial(step, cut(value, 0, at), out);
    *out++ = '@';
    const auto domain = cut(value, at + 1, value.size());
    const auto label = last_label(domain);
    if (label.empty()) return put(out, kStars);
    return put(put_initial(step, cut(domain, 0, domain.size() - label.size()), out), label);
}

char* put_unkeyed(const Method& method, CharacterStep step, std::string_view value, char* out) noexcept {
    switch (method.kind) {
        case MethodKind::kPartial: return put_partial(method, step, value, out);
        case MethodKind::kEmail: return put_email(step, value, out);
        case MethodKind::kClear: return put(out, value);
        default: return put(out, kStars);
    }
}

// Apart, because what it needs of the stack would be made room for with every value.
[[gnu::noinline]] char* put_keyed(const Method& method, const MaskKeys& keys, CharacterStep step,
                                  std::string_view value, char* out) noexcept {
    switch (method.kind) {
        case MethodKind::kHash: return put_token(keys, value, out);
        case MethodKind::kFpe: return put_encrypted(keys, step, value, out);
        case MethodKind::kPseudonym: return put_pseudonym(keys, value, out);
        default: return put(out, kStars);
    }
}

std::string_view without_padding(std::string_view value) noexcept {
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return value;
}

}  // namespace

std::size_t utf8_step(const char* at, const char* end) noexcept {
    const auto lead = static_cast<unsigned char>(*at);
    const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    if (length > static_cast<std::size_t>(end - at)) return 1;
    for (std::size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(at[i]) & 0xC0) != 0x80) return 1;
    return length;
}

std::size_t byte_step(const char*, const char*) noexcept {
    return 1;
}

std::size_t room_for(const MaskSpec& spec, std::size_t size) noexcept {
    // Padding adds at most one byte a character; a character has at most 4 bytes.
    std::size_t const padding = spec.padded ? spec.most_characters : 0;
    switch (spec.method.kind) {
        case MethodKind::kPartial:
            return std::min(size, std::size_t{4} * (spec.method.prefix + spec.method.suffix)) + kHidden.size() +
                   padding;
        case MethodKind::kEmail: return 2 * (4 + kStars.size() + 1) + kLongestLabel + padding;
        case MethodKind::kRedact:
        case MethodKind::kNull: return kStars.size() + padding;
        case MethodKind::kPseudonym: return kPseudonymSize + padding;
        case MethodKind::kHash: return kTokenSize + padding;
        // Without keys it redacts.
        default: return std::max(size, kStars.size()) + padding;
    }
}

std::size_t mask_text(const MaskSpec& spec, const MaskKeys* keys, CharacterStep step, std::string_view value,
                      char* out) noexcept {
    if (spec.padded) value = without_padding(value);
    char* const end = keys != nullptr && is_keyed(spec.method.kind)
                          ? put_keyed(spec.method, *keys, step, value, out)
                          : put_unkeyed(spec.method, step, value, out);
    const auto length = static_cast<std::size_t>(end - out);
    return spec.most_characters == 0 ? length : fit_text(spec, step, out, length);
}

std::size_t fit_text(const MaskSpec& spec, CharacterStep step, char* out, std::size_t length) noexcept {
    if (spec.most_characters == 0) return length;
    // No text has more characters than bytes.
    if (!spec.padded && length <= spec.most_characters) return length;
    length = first_characters(step, {out, length}, spec.most_characters).size();
    if (!spec.padded) return length;
    const std::size_t missing = spec.most_characters - characters(step, {out, length});
    std::memset(out + length, ' ', missing);
    return length + missing;
}

}  // namespace hoopguard::mask
