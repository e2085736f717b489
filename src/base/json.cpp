// Reads JSON (RFC 8259).
#include "base/json.hpp"

#include "base/text.hpp"

#include <charconv>

namespace hoopguard::base {
namespace {

constexpr int kMaxDepth = 32;

class Parser {
 public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Json> document() {
        Json value;
        if (!parse(value, 0)) return fail("not valid JSON at byte " + std::to_string(at_) + ": " + why_);
        skip_blanks();
        if (at_ != text_.size()) return fail("something follows the JSON value at byte " + std::to_string(at_));
        return value;
    }

 private:
    bool refuse(const char* why) {
        why_ = why;
        return false;
    }
    void skip_blanks() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    bool take(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    bool parse(Json& out, int depth) {
        skip_blanks();
        if (depth > kMaxDepth) return refuse("nested too deeply");
        if (at_ == text_.size()) return refuse("the text ends");
        if (text_[at_] == '"') {
            std::string string;
            if (!parse_string(string)) return false;
            out = Json(std::move(string));
            return true;
        }
        if (take("{")) return parse_object(out, depth);
        if (take("[")) return parse_array(out, depth);
        if (take("true")) return out = Json(true), true;
        if (take("false")) return out = Json(false), true;
        if (take("null")) return out = Json(), true;
        return parse_number(out);
    }

    // As the grammar of RFC 8259 section 6 has it: -0.5e+3, but neither +1, 01, .5 nor 5.
    bool parse_number(Json& out) {
        const std::size_t begin = at_;
        const bool negative = take("-");
        const std::size_t whole = skip_digits();
        if (whole == 0 || (whole > 1 && text_[at_ - whole] == '0')) return refuse("neither a value nor a number");
        bool integer = !negative;
        if (take(".")) {
            integer = false;
            if (skip_digits() == 0) return refuse("a fraction needs a digit");
        }
        if (take("e") || take("E")) {
            integer = false;
            if (!take("+")) take("-");
            if (skip_digits() == 0) return refuse("an exponent needs a digit");
        }
        const std::string_view written = text_.substr(begin, at_ - begin);
        if (integer)
            if (const auto number = parse_decimal(written)) return out = Json(*number), true;
        double value = 0;
        if (std::from_chars(written.data(), written.data() + written.size(), value).ec != std::errc())
            return refuse("a number out of range");
        return out = Json(value), true;
    }

    std::size_t skip_digits() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return at_ - begin;
    }

    bool parse_array(Json& out, int depth) {
        Json::Array array;
        skip_blanks();
        if (!take("]")) {
            do {
                if (!parse(array.emplace_back(), depth + 1)) return false;
                skip_blanks();
            } while (take(","));
            if (!take("]")) return refuse("an array needs a comma or its end here");
        }
        out = Json(std::move(array));
        return true;
    }

    bool parse_object(Json& out, int depth) {
        Json::Object object;
        skip_blanks();
        if (!take("}")) {
            do {
                skip_blanks();
                std::string name;
                if (!parse_string(name)) return false;
                skip_blanks();
                if (!take(":")) return refuse("a member needs a colon here");
                const auto [member, added] = object.try_emplace(std::move(name));
                if (!added) return refuse("a member repeats");
                if (!parse(member->second, depth + 1)) return false;
                skip_blanks();
            } while (take(","));
            if (!take("}")) return refuse("an object needs a comma or its end here");
        }
        out = Json(std::move(object));
        return true;
    }

    bool parse_string(std::string& out) {
        if (!take("\"")) return refuse("a string must begin here");
        while (at_ < text_.size()) {
            const char character = text_[at_];
            if (character == '"') {
                ++at_;
                return is_utf8(out) || refuse("a string is not UTF-8");
            }
            if (static_cast<unsigned char>(character) < 0x20) return refuse("a control character in a string");
            ++at_;
            if (character != '\\')
                out += character;
            else if (!parse_escape(out))
                return false;
        }
        return refuse("the text ends within a string");
    }

    bool parse_escape(std::string& out) {
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
        if (at_ == text_.size()) return refuse("the text ends within a string");
        const std::size_t simple = kNames.find(text_[at_]);
        if (simple != std::string_view::npos) {
            ++at_;
            out += kValues[simple];
            return true;
        }
        std::uint32_t unit = 0;
        if (!take("u") || !parse_unit(unit)) return refuse("an escape that JSON does not have");
        if (unit >= 0xD800 && unit < 0xDC00) {
            std::uint32_t low = 0;
            if (!take("\\u") || !parse_unit(low) || low < 0xDC00 || low > 0xDFFF)
                return refuse("half of a surrogate pair");
            unit = 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00));
        } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
            return refuse("half of a surrogate pair");
        }
        append_utf8(out, unit);
        return true;
    }

    bool parse_unit(std::uint32_t& unit) {
        std::string digits(text_.substr(at_, 4));
        for (char& digit : digits)
            if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
        const auto value = digits.size() == 4 ? parse_hex(digits) : std::nullopt;
        if (!value) return false;
        unit = static_cast<std::uint32_t>(*value);
        at_ += 4;
        return true;
    }

    static void append_utf8(std::string& out, std::uint32_t character) {
        const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (character >> shift & 0x3F)); };
        if (character < 0x80) {
            out += static_cast<char>(character);
        } else if (character < 0x800) {
            out += static_cast<char>(0xC0 | character >> 6);
            tail(0);
        } else if (character < 0x10000) {
            out += static_cast<char>(0xE0 | character >> 12);
            tail(6);
            tail(0);
        } else {
            out += static_cast<char>(0xF0 | character >> 18);
            tail(12);
            tail(6);
            tail(0);
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    const char* why_ = "";
};

}  // namespace

Result<Json> Json::parse(std::string_view text) {
    return Parser(text).document();
}

const Json* Json::member(std::string_view name) const noexcept {
    const Object* const members = object();
    if (members == nullptr) return nullptr;
    const auto found = members->find(name);
    return found == members->end() ? nullptr : &found->second;
}

}  // namespace hoopguard::base
