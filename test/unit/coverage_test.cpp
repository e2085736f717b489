// Coverage: what is said of the time between two runs, by where WAL and transaction ids stood.
#include "record/coverage.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kSegment = 16u << 20;

class Line {
 public:
    Line& add(EntryType type, std::uint64_t time, std::uint64_t wal, std::uint64_t xid, const char* mode = nullptr,
              std::uint16_t flags = 0) {
        base::Bytes bytes;
        EntryWriter writer(bytes, {.type = type, .flags = flags, .time = time});
        writer.add_uint(Field::kWalPosition, wal);
        writer.add_uint(Field::kNextXid, xid);
        if (mode != nullptr) writer.add_text(Field::kMode, mode);
        EXPECT_GT(writer.finish(0), 0u);
        line_.take(EntryView(bytes.data()));
        return *this;
    }
    Line& lose(std::uint64_t time, std::uint64_t count) {
        base::Bytes bytes;
        EntryWriter writer(bytes, {.type = EntryType::kLoss, .time = time});
        writer.add_uint(Field::kLostCount, count);
        EXPECT_GT(writer.finish(0), 0u);
        line_.take(EntryView(bytes.data()));
        return *this;
    }
    // "10-20 recorded, 20-30 down"
    std::string states(std::uint64_t now, bool alive = true) {
        periods = line_.finish(now, alive);
        std::string out;
        for (const CoveragePeriod& one : periods)
            out += (out.empty() ? "" : ", ") + std::to_string(one.from) + "-" + std::to_string(one.to) + " " +
                   std::string(to_text(one.state));
        return out;
    }
    std::vector<CoveragePeriod> periods;

 private:
    CoverageLine line_{kSegment};
};

using enum EntryType;

TEST(Coverage, AnOrderlyStopIsFollowedByWhereItStopped) {
    Line line;
    line.add(kOpen, 10, 1000, 5).add(kSeal, 15, 2000, 9).add(kStop, 20, 3000, 9);
    line.add(kOpen, 30, 3000, 9);
    EXPECT_EQ(line.states(50), "10-20 recorded, 20-30 down, 30-50 recorded");
    EXPECT_NE(line.periods[1].evidence.find("stopped in order"), std::string::npos);
}

TEST(Coverage, AStartWithoutTheLibraryShowsByTransactionsOrByWalAlone) {
    Line transactions;
    transactions.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, 9000, 12);
    EXPECT_EQ(transactions.states(50), "10-20 recorded, 20-30 unrecorded, 30-50 recorded");
    EXPECT_EQ(transactions.periods[1].evidence,
              "the server ran without the library: 3 transactions; WAL at 0/BB8, next transaction 9; then WAL at "
              "0/2328, next transaction 12");
    Line wal;
    wal.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, 3120, 9);
    EXPECT_EQ(wal.states(50), "10-20 recorded, 20-30 unrecorded, 30-50 recorded");
    Line back;
    back.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, 2000, 7);
    EXPECT_EQ(back.states(50), "10-20 recorded, 20-30 unrecorded, 30-50 recorded");
}

TEST(Coverage, AStopThatArchivesGoesOnInTheNextSegment) {
    Line next;
    next.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, kSegment + 40, 9);
    EXPECT_EQ(next.states(50), "10-20 recorded, 20-30 down, 30-50 recorded");
    Line two;
    two.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, 2 * kSegment + 40, 9);
    EXPECT_EQ(two.states(50), "10-20 recorded, 20-30 unrecorded, 30-50 recorded");
    Line within;
    within.add(kOpen, 10, 1000, 5).add(kStop, 20, 3000, 9).add(kOpen, 30, kSegment + 400, 9);
    EXPECT_EQ(within.states(50), "10-20 recorded, 20-30 unrecorded, 30-50 recorded");
}

TEST(Coverage, ACrashEndsARunAtItsLastSign) {
    Line line;
    line.add(kOpen, 10, 1000, 5).add(kSeal, 18, 5000, 9).add(kOpen, 30, 1000, 5);
    EXPECT_EQ(line.states(50), "10-18 recorded, 18-30 down, 30-50 recorded");
    Line later;
    later.add(kOpen, 10, 1000, 5).add(kSeal, 18, 5000, 9).add(kOpen, 30, 9000, 9);
    EXPECT_EQ(later.states(50), "10-18 recorded, 18-30 unrecorded, 30-50 recorded");
}

TEST(Coverage, AStandbysPositionsProveNothing) {
    Line line;
    line.add(kOpen, 10, 1000, 5, nullptr, kFlagStandby).add(kStop, 20, 3000, 9, nullptr, kFlagStandby);
    line.add(kOpen, 30, 90000, 900, nullptr, kFlagStandby);
    EXPECT_EQ(line.states(50), "10-20 recorded, 20-30 down, 30-50 recorded");
}

TEST(Coverage, ObservingIsTold) {
    Line line;
    line.add(kOpen, 10, 1000, 5).add(kSeal, 20, 2000, 6, "observe").add(kSeal, 25, 2000, 6, "observe");
    line.add(kSeal, 30, 3000, 7, "enforce").add(kStop, 40, 4000, 8);
    EXPECT_EQ(line.states(50), "10-20 recorded, 20-30 observe, 30-40 recorded");
    Line from_the_start;
    from_the_start.add(kOpen, 10, 1000, 5, "observe");
    EXPECT_EQ(from_the_start.states(50), "10-50 observe");
}

TEST(Coverage, LossesStandAtTheirMoment) {
    Line line;
    line.add(kOpen, 10, 1000, 5).lose(12, 7).add(kSeal, 20, 2000, 6);
    EXPECT_EQ(line.states(50, false), "10-20 recorded, 12-12 unrecorded");
    EXPECT_EQ(line.periods[1].evidence, "7 entries were lost while journal_failure_action was allow");
}

TEST(Coverage, ClippingKeepsWhatOverlaps) {
    std::vector<CoveragePeriod> const periods = {{10, 20}, {20, 30}, {30, 40}};
    auto const kept = clipped(periods, 22, 35);
    ASSERT_EQ(kept.size(), 2u);
    EXPECT_EQ(kept[0].from, 22u);
    EXPECT_EQ(kept[0].to, 30u);
    EXPECT_EQ(kept[1].to, 35u);
    EXPECT_TRUE(clipped(periods, 50, 60).empty());
    EXPECT_TRUE(Line().states(50).empty());
}

}  // namespace
}  // namespace hoopguard::record
