// Bytes that must not stay in memory: wiped when they go, never copied, compared in constant time.
#pragma once

#include "base/bytes.hpp"

namespace hoopguard::crypto {

// Overwrites in a way that compilers keep.
void wipe(std::span<std::uint8_t> bytes) noexcept;

// Takes time that depends on the lengths alone.
bool equal_in_constant_time(base::ByteView a, base::ByteView b) noexcept;

class Secret {
 public:
    Secret() noexcept = default;
    explicit Secret(std::size_t size) : bytes_(size) {}
    // A copy of the bytes; the caller wipes his own.
    explicit Secret(base::ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) {}
    Secret& operator=(Secret&& other) noexcept {
        wipe(bytes_);
        bytes_ = std::move(other.bytes_);
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(bytes_); }

    base::ByteView view() const noexcept { return bytes_; }
    std::span<std::uint8_t> bytes() noexcept { return bytes_; }
    bool empty() const noexcept { return bytes_.empty(); }

 private:
    base::Bytes bytes_;
};

}  // namespace hoopguard::crypto
