// A count of rows within the last so many microseconds, in a fixed number of parts of that time: what lies in the
// oldest part counts as a whole, so that the window is never shorter than asked for. Plain data for shared memory;
// the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hoopguard::decide {

class Window {
 public:
    static constexpr std::size_t kParts = 32;

    // Begins to count within `length` microseconds; what was counted is forgotten.
    void begin(std::int64_t length) noexcept;
    std::int64_t length() const noexcept { return length_; }
    // Times are microseconds of one clock. One that goes backwards counts into the newest part.
    // Gives the rows within the window, these included.
    std::uint64_t add(std::int64_t now, std::uint64_t rows) noexcept;
    // Takes rows back that were added lately, the newest first.
    void take_back(std::uint64_t rows) noexcept;
    // Whether nothing in it counts any more.
    bool is_over(std::int64_t now) const noexcept;

 private:
    std::int64_t part_of(std::int64_t now) const noexcept { return now / width_; }
    void advance(std::int64_t part) noexcept;

    std::int64_t length_ = 0;
    std::int64_t width_ = 1;   // of a part
    std::int64_t newest_ = 0;  // number of the newest part, since the clock's beginning
    std::array<std::uint64_t, kParts + 1> rows_ = {};
};

}  // namespace hoopguard::decide
