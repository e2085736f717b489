// Walking JSON text token by token; strings are read without their escapes.
#include "detect/json_parts.hpp"

#include "detect/context.hpp"
#include "detect/validate.hpp"

#include <algorithm>
#include <optional>

namespace hoopguard::detect {

namespace {

constexpr char kWideLetter = '\xff';  // stands for any character beyond ASCII

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The character of \uXXXX at `at`; nothing when it is none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) noexcept {
    if (at + 6 > text.size()) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        char const c = to_lower(text[i]);
        if (is_digit(c))
            value = value * 16 + static_cast<unsigned>(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + static_cast<unsigned>(c - 'a' + 10);
        else
            return std::nullopt;
    }
    return value;
}

char plain_form(char escaped) noexcept {
    switch (escaped) {
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't': return '\n';
        default: return escaped;
    }
}

}  // namespace

bool JsonParts::find(const Detector& detector, std::string_view text) {
    parts_.clear();
    key_ = {};
    for (std::size_t at = 0; at < text.size();) {
        char const c = text[at];
        if (c == '"') {
            if (!string(detector, text, at)) return false;
        } else if (is_digit(c) || c == '-') {
            std::size_t const begin = at++;
            while (at < text.size() &&
                   (is_word_part(text[at]) || text[at] == '.' || text[at] == '+' || text[at] == '-'))
                ++at;
            number(detector, text, begin, at);
        } else if (is_blank(c) || is_letter(c) || std::string_view("{}[],:").find(c) != std::string_view::npos) {
            ++at;
        } else {
            return false;
        }
    }
    return true;
}

bool JsonParts::string(const Detector& detector, std::string_view text, std::size_t& at) {
    std::size_t const begin = at + 1;
    std::size_t end = begin;
    bool escapes = false;
    for (; end < text.size() && text[end] != '"'; ++end) {
        if (text[end] != '\\') continue;
        escapes = true;
        ++end;
    }
    if (end >= text.size()) return false;
    at = end + 1;
    std::size_t next = at;
    while (next < text.size() && is_blank(text[next])) ++next;
    bool const is_key = next < text.size() && text[next] == ':';
    if (is_key) key_ = text.substr(begin, end - begin);
    std::optional<Kind> const kind = is_key || end == begin ? std::nullopt : kind_of_field(key_);
    if (kind)
        parts_.push_back({{begin, end, *kind, 0.7F}, false});
    else if (escapes)
        find_escaped(detector, text, begin, end);
    else
        find_plain(detector, text, begin, end);
    return true;
}

void JsonParts::find_plain(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end) {
    found_.clear();
    detector.find(text, begin, end, found_);
    for (const Finding& one : found_) parts_.push_back({one, false});
}

void JsonParts::find_escaped(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end) {
    plain_.clear();
    offsets_.clear();
    for (std::size_t at = begin; at < end;) {
        offsets_.push_back(at);
        if (text[at] != '\\') {
            plain_.push_back(text[at++]);
        } else if (text[at + 1] == 'u') {
            auto const unit = escaped_unit(text.substr(0, end), at);
            plain_.push_back(unit && *unit < 0x80 ? static_cast<char>(*unit) : kWideLetter);
            at = std::min(at + 6, end);
        } else {
            plain_.push_back(plain_form(text[at + 1]));
            at += 2;
        }
    }
    offsets_.push_back(end);
    found_.clear();
    detector.find(plain_, found_);
    for (Finding one : found_) {
        one.begin = offsets_[one.begin];
        one.end = offsets_[one.end];
        parts_.push_back({one, false});
    }
}

void JsonParts::number(const Detector& detector, std::string_view text, std::size_t begin, std::size_t end) {
    if (auto const kind = kind_of_field(key_)) {
        parts_.push_back({{begin, end, *kind, 0.7F}, true});
        return;
    }
    if (end - begin < 7) return;
    found_.clear();
    detector.find(text, begin, end, found_);
    if (!found_.empty()) parts_.push_back({{begin, end, found_.front().kind, found_.front().score}, true});
}

}  // namespace hoopguard::detect
