// The text kernels. They only copy whole characters and ASCII.
#include "mask/text_kernel.hpp"

#include "mask/keyed_text.hpp"

#include <algorithm>
#include <cstring>

namespace hoopguard::mask {

namespace {

constexpr std::string_view kStars = "***";
constexpr std::string_view kHidden = "****";
constexpr std::size_t kLongestLabel = 24;  // of a top-level domain shown as it is

char* put(char* out, std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

// The first `count` characters of `text`; all of it when it has no more.
std::string_view first_characters(CharacterStep step, std::string_view text, std::size_t count) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (; count > 0 && at < end; --count) at += step(at, end);
    return text.substr(0, static_cast<std::size_t>(at - text.data()));
}

std::size_t characters(CharacterStep step, std::string_view text) noexcept {
    std::size_t count = 0;
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at < end; at += step(at, end)) ++count;
    return count;
}

bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t kHighBits = 0x8080808080808080;
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t seen = 0;
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; left > 0; ++at, --left) seen |= static_cast<unsigned char>(*at) & 0x80u;
    return (seen & kHighBits) == 0;
}

char* put_partial(const Method& method, CharacterStep step, std::string_view value, char* out) noexcept {
    if (is_ascii(value)) {
        if (value.size() < 2 * (std::size_t{method.prefix} + method.suffix)) return put(out, kHidden);
        out = put(put(out, value.substr(0, method.prefix)), kHidden);
        return put(out, value.substr(value.size() - method.suffix));
    }
    const std::size_t count = characters(step, value);
    const std::size_t kept = std::size_t{method.prefix} + method.suffix;
    if (count < 2 * kept) return put(out, kHidden);
    out = put(out, first_characters(step, value, method.prefix));
    out = put(out, kHidden);
    return put(out, value.substr(first_characters(step, value, count - method.suffix).size()));
}

bool is_plain_label(std::string_view label) noexcept {
    if (label.empty() || label.size() > kLongestLabel) return false;
    for (const char c : label)
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
    return true;
}

// The first character, where it does not give the whole of `part` away.
char* put_initial(CharacterStep step, std::string_view part, char* out) noexcept {
    const auto initial = first_characters(step, part, 1);
    return put(initial.size() < part.size() ? put(out, initial) : out, kStars);
}

char* put_email(CharacterStep step, std::string_view value, char* out) noexcept {
    const auto at = value.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == value.size()) return put(out, kStars);
    out = put_initial(step, value.substr(0, at), out);
    *out++ = '@';
    const auto domain = value.substr(at + 1);
    const auto dot = domain.rfind('.');
    const auto last_label = dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
    if (dot == 0 || !is_plain_label(last_label)) return put(out, kStars);
    out = put_initial(step, domain.substr(0, dot), out);
    *out++ = '.';
    return put(out, last_label);
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
    char* end = out;
    MethodKind const kind = is_keyed(spec.method.kind) && keys == nullptr ? MethodKind::kRedact : spec.method.kind;
    switch (kind) {
        case MethodKind::kPartial: end = put_partial(spec.method, step, value, out); break;
        case MethodKind::kEmail: end = put_email(step, value, out); break;
        case MethodKind::kHash: end = put_token(*keys, value, out); break;
        case MethodKind::kFpe: end = put_encrypted(*keys, step, value, out); break;
        case MethodKind::kPseudonym: end = put_pseudonym(*keys, value, out); break;
        case MethodKind::kClear: end = put(out, value); break;
        default: end = put(out, kStars); break;
    }
    return fit_text(spec, step, out, static_cast<std::size_t>(end - out));
}

std::size_t fit_text(const MaskSpec& spec, CharacterStep step, char* out, std::size_t length) noexcept {
    if (spec.most_characters == 0) return length;
    length = first_characters(step, {out, length}, spec.most_characters).size();
    if (!spec.padded) return length;
    const std::size_t missing = spec.most_characters - characters(step, {out, length});
    std::memset(out + length, ' ', missing);
    return length + missing;
}

}  // namespace hoopguard::mask
