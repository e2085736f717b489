// Reading sqlcommenter comments: no allocation, and no trust in what a client writes.
#include "record/trace.hpp"

namespace hoopguard::record {

namespace {

constexpr std::size_t kLongestComment = 4096;

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The inside of the comment that `text` ends or begins with.
std::string_view comment_of(std::string_view text) noexcept {
    if (text.ends_with("*/")) {
        std::size_t const from = text.size() > kLongestComment ? text.size() - kLongestComment : 0;
        std::size_t const begin = text.rfind("/*");
        if (begin != std::string_view::npos && begin >= from && begin + 4 <= text.size())
            return text.substr(begin + 2, text.size() - begin - 4);
    }
    if (text.starts_with("/*")) {
        std::size_t const end = text.substr(0, kLongestComment).find("*/", 2);
        if (end != std::string_view::npos) return text.substr(2, end - 2);
    }
    return {};
}

// Cuts one key='value' off the front of `rest`. False at the end and at what is not of that form.
bool take_pair(std::string_view& rest, std::string_view& key, std::string_view& value) noexcept {
    while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ')) rest.remove_prefix(1);
    std::size_t const equals = rest.find('=');
    if (equals == std::string_view::npos || equals + 1 >= rest.size() || rest[equals + 1] != '\'') return false;
    key = rest.substr(0, equals);
    rest.remove_prefix(equals + 2);
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != '\'') end += rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size()) return false;
    value = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

// URL-decodes `value`, whose quotes may be escaped by a backslash, to `buffer`. Empty when it does not fit.
std::string_view decode(std::string_view value, char*& buffer, std::size_t& left) noexcept {
    char* const begin = buffer;
    std::size_t used = 0;
    for (std::size_t at = 0; at < value.size(); ++at) {
        char c = value[at];
        if (c == '\\' && at + 1 < value.size()) {
            c = value[++at];
        } else if (c == '%' && at + 2 < value.size() && hex_digit(value[at + 1]) >= 0 &&
                   hex_digit(value[at + 2]) >= 0) {
            c = static_cast<char>(hex_digit(value[at + 1]) * 16 + hex_digit(value[at + 2]));
            at += 2;
        }
        if (used == left) return {};
        begin[used++] = c;
    }
    buffer += used;
    left -= used;
    return {begin, used};
}

}  // namespace

Trace read_trace(std::string_view text, char* buffer, std::size_t size) noexcept {
    Trace trace;
    std::string_view rest = comment_of(text);
    std::string_view key;
    std::string_view value;
    while (take_pair(rest, key, value)) {
        if (key == "traceparent" && trace.traceparent.empty())
            trace.traceparent = decode(value, buffer, size);
        else if (key == "reason" && trace.reason.empty())
            trace.reason = decode(value, buffer, size);
    }
    return trace;
}

}  // namespace hoopguard::record
