// Plain numbers, by what stands around them. Each condition names a rule of the detector that looks at digits.
#include "record/text_shape.hpp"

#include "detect/context.hpp"
#include "detect/validate.hpp"

#include <cstring>

namespace hoopguard::record {

namespace {

using detect::is_digit;

constexpr std::size_t kMostDigits = 8;  // with nine it may be a social security number
constexpr std::size_t kGroupGap = 4;    // digits nearer than this may be groups of one number

constexpr bool is_one_of(char c, std::string_view some) noexcept {
    return some.find(c) != std::string_view::npos;
}

// "+1 …" and "+(1…" are telephone numbers, "A<1…" is a travel document's line, "sk-1…" a token.
bool may_begin(std::string_view text, std::size_t begin) noexcept {
    if (begin < 2) return false;
    char const last = text[begin - 1];
    char const before = text[begin - 2];
    if (last == '(') return before != '+';
    if (last == '-') return is_one_of(before, " (=,");
    return is_one_of(last, " =,>*\n\t");
}

bool may_end(std::string_view text, std::size_t end) noexcept {
    return end == text.size() || is_one_of(text[end], " ,;)\n\t");
}

// Whether there are digits within a group's gap after `end`.
bool goes_on(std::string_view text, std::size_t end) noexcept {
    for (std::size_t at = end; at < text.size() && at - end <= kGroupGap; ++at) {
        if (is_digit(text[at])) return true;
        if (!is_one_of(text[at], " -./()")) return false;
    }
    return false;
}

}  // namespace

[[gnu::hot]] bool write_shape(std::string_view text, char* shape) noexcept {
    std::memcpy(shape, text.data(), text.size());
    bool replaced = false;
    bool in_group = false;  // the digits before go on here
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        if (!is_digit(text[begin])) continue;
        std::size_t end = begin + 1;
        while (end < text.size() && is_digit(text[end])) ++end;
        bool const groups_with_next = goes_on(text, end);
        bool const plain = !in_group && !groups_with_next && text[begin] != '0' && end - begin <= kMostDigits &&
                           may_begin(text, begin) && may_end(text, end);
        if (plain) std::memset(shape + begin, '1', end - begin);
        replaced = replaced || plain;
        in_group = groups_with_next;
        begin = end - 1;
    }
    return replaced;
}

[[gnu::hot]] bool announces_numbers(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) {
        bool const begins_number = is_digit(text[at]) && (at == 0 || !is_digit(text[at - 1]));
        if (begins_number && detect::topics_before(text, at).bits != 0) return true;
        if ((text[at] == '=' || text[at] == ':') && detect::names_secret(detect::key_before(text, at)))
            return true;
    }
    return false;
}

}  // namespace hoopguard::record
