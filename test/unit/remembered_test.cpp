// Numbers that are remembered: found again, replaced by one of the same place, forgotten together.
#include "base/remembered.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace hoopguard::base {
namespace {

TEST(Remembered, HoldsTheLastNumberOfEachPlace) {
    Remembered<std::uint32_t, 8> seen;
    EXPECT_FALSE(seen.has(0)) << "an empty place is no number";
    EXPECT_FALSE(seen.has(3));
    seen.add(3);
    seen.add(4);
    EXPECT_TRUE(seen.has(3));
    EXPECT_TRUE(seen.has(4));
    EXPECT_FALSE(seen.has(11)) << "same place, another number";
    seen.add(11);
    EXPECT_TRUE(seen.has(11));
    EXPECT_FALSE(seen.has(3));
    seen.clear();
    EXPECT_FALSE(seen.has(4));
    EXPECT_FALSE(seen.has(11));
}

}  // namespace
}  // namespace hoopguard::base
