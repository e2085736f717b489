// A value or the reason why there is none, for code that must not throw.
// An Error's message is one plain sentence without a final stop that names the thing at fault.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace hoopguard::base {

struct Error {
    std::string message;
    int number = 0;  // errno of the call that failed, 0 when no call did
};

template <class Value>
class [[nodiscard]] Result {
 public:
    Result(Value value) noexcept(std::is_nothrow_move_constructible_v<Value>)
        : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    // Only when ok().
    Value& value() & noexcept { return *std::get_if<0>(&state_); }
    const Value& value() const& noexcept { return *std::get_if<0>(&state_); }
    Value&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    Value& operator*() & noexcept { return value(); }
    const Value& operator*() const& noexcept { return value(); }
    Value&& operator*() && noexcept { return std::move(*this).value(); }
    Value* operator->() noexcept { return &value(); }
    const Value* operator->() const noexcept { return &value(); }

    // Only when not ok().
    Error& error() noexcept { return *std::get_if<1>(&state_); }
    const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
    std::variant<Value, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
    Result() noexcept = default;
    Result(Error error) noexcept : error_(std::move(error)), ok_(false) {}

    bool ok() const noexcept { return ok_; }
    explicit operator bool() const noexcept { return ok_; }

    // Only when not ok().
    Error& error() noexcept { return error_; }
    const Error& error() const noexcept { return error_; }

 private:
    Error error_;
    bool ok_ = true;
};

using Status = Result<void>;

inline Error fail(std::string message, int number = 0) noexcept {
    return Error{std::move(message), number};
}

}  // namespace hoopguard::base
