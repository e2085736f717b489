// Writes one JSON object (RFC 8259), member by member, each name once. Texts are UTF-8; what is not becomes
// U+FFFD.
#pragma once

#include "base/text.hpp"

#include <concepts>
#include <string>
#include <string_view>

namespace hoopguard::base {

class JsonWriter {
 public:
    void text(std::string_view name, std::string_view value) { member(name).append(json_quoted(value)); }
    // Left out when empty.
    void text_if_any(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    void boolean(std::string_view name, bool value) { member(name).append(value ? "true" : "false"); }
    template <std::integral Number>
    void number(std::string_view name, Number value) {
        member(name).append(std::to_string(value));
    }
    // A value that is JSON already.
    void json(std::string_view name, std::string_view value) { member(name).append(value); }
    template <typename Texts>
    void texts(std::string_view name, const Texts& values) {
        std::string& out = member(name);
        char separator = '[';
        for (std::string_view const value : values) {
            out.push_back(separator);
            out.append(json_quoted(value));
            separator = ',';
        }
        out.append(separator == '[' ? "[]" : "]");
    }
    std::string object() const { return "{" + members_ + "}"; }

 private:
    std::string& member(std::string_view name) {
        if (!members_.empty()) members_.push_back(',');
        members_.append(json_quoted(name));
        members_.push_back(':');
        return members_;
    }
    std::string members_;
};

}  // namespace hoopguard::base
