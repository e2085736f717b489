// Request ids that come inside the statement's text, as sqlcommenter writes them:
// https://google.github.io/sqlcommenter/spec/ - a comment at the end (or, by some clients, at the start) of
// the statement, key='url-encoded value' pairs joined by commas.
#pragma once

#include <cstddef>
#include <string_view>

namespace hoopguard::record {

// What a comment says; empty where it says nothing. Values are decoded into `buffer`, which is the caller's
// and must outlive this.
struct Trace {
    std::string_view traceparent;
    std::string_view reason;
};

// Whether `text` begins or ends with a comment: everything else need not be looked at.
constexpr bool may_hold_trace(std::string_view text) noexcept {
    return text.ends_with("*/") || text.starts_with("/*");
}

// Reads the comment of `text`. What does not fit into `buffer` or is no sqlcommenter comment gives nothing.
Trace read_trace(std::string_view text, char* buffer, std::size_t size) noexcept;

}  // namespace hoopguard::record
