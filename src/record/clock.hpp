// Time for entries at the price of one clock reading each: the wall clock is the steady one plus an offset
// that is measured again every so often, so that a clock that is set shows within that time.
#pragma once

#include <cstdint>
#include <ctime>

namespace hoopguard::record {

class Clock {
 public:
    // Nanoseconds that never go backwards; only differences mean something.
    static std::uint64_t steady() noexcept { return read(CLOCK_MONOTONIC); }

    // Nanoseconds since 1970-01-01 UTC at the moment that steady() returned `at`, which lies not far back.
    std::uint64_t wall(std::uint64_t at) noexcept {
        if (at - measured_ > kMeasureAgain) {
            offset_ = read(CLOCK_REALTIME) - steady();
            measured_ = at;
        }
        return at + offset_;
    }

 private:
    static constexpr std::uint64_t kMeasureAgain = 50'000'000;  // nanoseconds

    static std::uint64_t read(clockid_t clock) noexcept {
        timespec now;
        clock_gettime(clock, &now);
        return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
    }

    std::uint64_t offset_ = 0;
    std::uint64_t measured_ = 0;
};

}  // namespace hoopguard::record
