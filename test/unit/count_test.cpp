// Counting rows against limits: within a transaction, and within a time.
#include "decide/tally.hpp"
#include "decide/window.hpp"

#include <gtest/gtest.h>

namespace hoopguard::decide {
namespace {

constexpr CountKey kOne{1, 1};
constexpr CountKey kOther{1, 2};

TEST(TallyTest, CountsAddUpWithinATransaction) {
    Tally tally;
    EXPECT_EQ(tally.add(kOne, false, 1, 3), 3u);
    EXPECT_EQ(tally.add(kOne, false, 1, 4), 7u);
    EXPECT_EQ(tally.add(kOther, false, 1, 1), 1u);
    tally.clear();
    EXPECT_EQ(tally.add(kOne, false, 1, 1), 1u);
}

TEST(TallyTest, WhatIsRolledBackIsGivenBack) {
    Tally tally;
    tally.add(kOne, true, 1, 10);
    tally.add(kOne, true, 2, 20);
    tally.add(kOne, true, 3, 30);
    std::uint64_t gone = 0;
    tally.subtransaction_aborted(2, [&](const Tally::Line& line) { gone += line.rows; });
    EXPECT_EQ(gone, 50u);
    EXPECT_EQ(tally.add(kOne, true, 4, 1), 11u);
}

TEST(TallyTest, WhatASubtransactionCountedIsItsParentsOnceItEnded) {
    Tally tally;
    tally.add(kOne, false, 2, 10);
    tally.add(kOne, false, 3, 20);
    tally.add(kOther, false, 3, 5);
    tally.subtransaction_ended(3, 2);
    EXPECT_EQ(tally.add(kOne, false, 2, 0), 30u);
    std::uint64_t gone = 0;
    tally.subtransaction_aborted(2, [&](const Tally::Line& line) { gone += line.rows; });
    EXPECT_EQ(gone, 35u);
    EXPECT_TRUE(tally.empty());
}

TEST(WindowTest, RowsCountForAsLongAsAskedAndNotMuchLonger) {
    Window window;
    window.begin(3200);  // parts of 100
    EXPECT_EQ(window.add(10000, 5), 5u);
    EXPECT_EQ(window.add(10050, 5), 10u);
    EXPECT_EQ(window.add(11000, 1), 11u);
    EXPECT_EQ(window.add(13200, 1), 12u) << "the first rows are 3200 old";
    EXPECT_EQ(window.add(13399, 0), 2u);
    EXPECT_FALSE(window.is_over(14299));
    EXPECT_EQ(window.add(14400, 0), 1u);
    EXPECT_TRUE(window.is_over(20000));
}

TEST(WindowTest, AJumpOfTheClockForgetsNoneAndAllAsItShould) {
    Window window;
    window.begin(3200);
    window.add(10000, 7);
    EXPECT_EQ(window.add(5000, 1), 8u) << "backwards: what was counted still counts";
    EXPECT_EQ(window.add(1000000, 1), 1u);
}

TEST(WindowTest, RowsAreTakenBack) {
    Window window;
    window.begin(3200);
    window.add(10000, 7);
    window.add(10100, 3);
    window.take_back(5);
    EXPECT_EQ(window.add(10100, 0), 5u);
    window.take_back(50);
    EXPECT_TRUE(window.is_over(10100));
}

TEST(WindowTest, AShortWindowHasParts) {
    Window window;
    window.begin(1);
    EXPECT_EQ(window.add(100, 1), 1u);
    EXPECT_EQ(window.add(500, 1), 1u);
}

}  // namespace
}  // namespace hoopguard::decide
