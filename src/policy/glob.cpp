// Greedy matching that goes back to the last '*' alone.
#include "policy/glob.hpp"

#include <cstddef>

namespace hoopguard::policy {

namespace {

std::size_t character_length(std::string_view text, std::size_t at) noexcept {
    auto const lead = static_cast<unsigned char>(text[at]);
    std::size_t const length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    for (std::size_t i = 1; i < length; ++i)
        if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 1;
    return length;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t after_star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size() || p < pattern.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            after_star = ++p;
            retry = t;
            continue;
        }
        if (t < text.size() && p < pattern.size()) {
            if (pattern[p] == '?') {
                t += character_length(text, t);
                ++p;
                continue;
            }
            auto const escape = pattern[p] == '\\' && p + 1 < pattern.size() ? 1u : 0u;
            if (pattern[p + escape] == text[t]) {
                p += escape + 1;
                ++t;
                continue;
            }
        }
        if (after_star == std::string_view::npos || retry >= text.size()) return false;
        p = after_star;
        t = ++retry;
    }
    return true;
}

bool is_literal(std::string_view pattern) noexcept {
    return pattern.find_first_of("*?\\") == std::string_view::npos;
}

}  // namespace hoopguard::policy
