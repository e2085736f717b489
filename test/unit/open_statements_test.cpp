// The bookkeeping of running statements, in the orders that PostgreSQL really ends them.
#include "record/open_statements.hpp"

#include <gtest/gtest.h>

namespace {

using hoopguard::record::OpenStatement;
using hoopguard::record::OpenStatements;

class OpenStatementsTest : public testing::Test {
 protected:
    OpenStatement& begin(std::uint64_t number, const void* query, std::uint32_t subtransaction = 1) {
        OpenStatement statement;
        statement.number = number;
        statement.query = query;
        statement.subtransaction = subtransaction;
        open.reserve();
        return open.begin(statement);
    }
    void SetUp() override {
        open.leave(0);
        while (open.size() > 0) open.close(&open[0]);
    }
    static OpenStatements open;  // as in a server process: it never gives memory back
    int queries[100] = {};
};

OpenStatements OpenStatementsTest::open;

TEST_F(OpenStatementsTest, TheInnermostFrameIsTheOneThatRuns) {
    begin(1, &queries[1]);
    auto const depth = open.depth();
    begin(2, &queries[2]);
    EXPECT_EQ(open.running()->number, 2u);
    open.leave(depth);
    EXPECT_EQ(open.running()->number, 1u);
    open.leave(0);
    EXPECT_EQ(open.running(), nullptr);
    EXPECT_EQ(open.find_query(&queries[2])->number, 2u);
}

TEST_F(OpenStatementsTest, AnOlderStatementMayEndFirst) {
    begin(1, &queries[1]);
    open.leave(0);
    begin(2, &queries[2]);
    open.close(open.find_query(&queries[1]));
    EXPECT_EQ(open.find(1), nullptr);
    ASSERT_NE(open.find(2), nullptr);
    EXPECT_EQ(open.running()->number, 2u);
}

TEST_F(OpenStatementsTest, AFrameOfAnEndedStatementIsDead) {
    begin(1, &queries[1]);
    begin(2, &queries[2]);
    open.close(open.find(2));
    EXPECT_EQ(open.running()->number, 1u);
    open.leave_dead();
    EXPECT_EQ(open.depth(), 1u);
}

TEST_F(OpenStatementsTest, AnAbortedSubtransactionLeavesItsFramesAndThoseWithin) {
    begin(1, nullptr, 1);
    begin(2, &queries[2], 2);
    begin(3, &queries[3], 3);
    open.leave_subtransaction(2);
    EXPECT_EQ(open.depth(), 1u);
    EXPECT_EQ(open.running()->number, 1u);
}

TEST_F(OpenStatementsTest, AnOlderCursorThatRanInsideIsFound) {
    begin(1, &queries[1], 1);
    open.leave(0);
    EXPECT_EQ(open.running_query(1), nullptr);
    begin(2, nullptr, 1).utility = true;
    begin(3, &queries[3], 2);
    open.enter(1, 2);
    EXPECT_EQ(open.running_query(2)->number, 1u);
    open.close(open.find(1));
    EXPECT_EQ(open.running_query(2)->number, 3u);
    open.close(open.find(3));
    EXPECT_EQ(open.running_query(2), nullptr);
    EXPECT_EQ(open.running_query(1), nullptr) << "utilities are not queries";
}

TEST_F(OpenStatementsTest, DeepRecursionGrows) {
    for (std::uint64_t number = 1; number < 100; ++number) begin(number, &queries[number]);
    EXPECT_EQ(open.running()->number, 99u);
    EXPECT_EQ(open.find_query(&queries[1])->number, 1u);
    for (std::uint64_t number = 99; number > 0; --number) open.close(open.find(number));
    EXPECT_EQ(open.size(), 0u);
    EXPECT_EQ(open.running(), nullptr);
}

}  // namespace
