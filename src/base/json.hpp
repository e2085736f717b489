// Reads JSON (RFC 8259), strictly: members must not repeat, texts are UTF-8, depth is bounded. What reads
// documents of its own making asks for unsigned integers; tokens of others bring every number.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hoopguard::base {

class Json {
 public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json, std::less<>>;

    Json() = default;
    explicit Json(bool value) : kind_(Kind::kBoolean), boolean_(value) {}
    explicit Json(std::uint64_t value)
        : kind_(Kind::kNumber), unsigned_(true), number_(value), real_(static_cast<double>(value)) {}
    explicit Json(double value) : kind_(Kind::kNumber), real_(value) {}
    explicit Json(std::string value) : kind_(Kind::kText), text_(std::move(value)) {}
    explicit Json(Array value) : kind_(Kind::kArray), array_(std::move(value)) {}
    explicit Json(Object value) : kind_(Kind::kObject), object_(std::move(value)) {}

    // The whole text is one value; the error says at which byte it is not. Members must not repeat.
    static Result<Json> parse(std::string_view text);

    // The value as a type, or null when it is of another.
    const std::string* text() const noexcept { return kind_ == Kind::kText ? &text_ : nullptr; }
    // An unsigned integer written as one.
    const std::uint64_t* number() const noexcept {
        return kind_ == Kind::kNumber && unsigned_ ? &number_ : nullptr;
    }
    // Any number, as the nearest double.
    const double* real() const noexcept { return kind_ == Kind::kNumber ? &real_ : nullptr; }
    const bool* boolean() const noexcept { return kind_ == Kind::kBoolean ? &boolean_ : nullptr; }
    const Array* array() const noexcept { return kind_ == Kind::kArray ? &array_ : nullptr; }
    const Object* object() const noexcept { return kind_ == Kind::kObject ? &object_ : nullptr; }
    // A member of an object; null when this is none or has no such member.
    const Json* member(std::string_view name) const noexcept;

 private:
    enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kText, kArray, kObject };

    Kind kind_ = Kind::kNull;
    bool boolean_ = false;
    bool unsigned_ = false;
    std::uint64_t number_ = 0;
    double real_ = 0;
    std::string text_;
    Array array_;
    Object object_;
};

}  // namespace hoopguard::base
