// Numbers that were found to be something, as many as there are places: each in the one that its remainder gives
// it, until another one takes that. 0 is never among them. Plain data, empty where it is zero.
#pragma once

#include <array>
#include <cstddef>

namespace hoopguard::base {

template <class Number, std::size_t kPlaces>
class Remembered {
 public:
    bool has(Number number) const noexcept { return number != 0 && places_[number % kPlaces] == number; }
    void add(Number number) noexcept { places_[number % kPlaces] = number; }
    void clear() noexcept { places_.fill(0); }

 private:
    std::array<Number, kPlaces> places_ = {};
};

}  // namespace hoopguard::base
