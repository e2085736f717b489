// Approvals that statements run under: whom they cover, and for how long.
#include "approve/lent.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hoopguard::approve {
namespace {

decide::Decision asked(std::vector<std::string> approvers, std::uint32_t count) {
    decide::Decision decision;
    decision.verdict = decide::Verdict::kAsk;
    decision.enforced = true;
    decision.approvers = std::move(approvers);
    decision.min_approvals = count;
    return decision;
}

TEST(Lent, CountsOnlyVotersWhomTheRuleNames) {
    Voters const voters = {{"bob", "hoopguard_approver"}, {"carol", "security"}};
    EXPECT_TRUE(suffices(voters, asked({}, 1)));
    EXPECT_FALSE(suffices(voters, asked({}, 2)));
    EXPECT_TRUE(suffices(voters, asked({"security"}, 1)));
    EXPECT_TRUE(suffices(voters, asked({"security", "hoopguard_approver"}, 2)));
    EXPECT_FALSE(suffices(voters, asked({"admins"}, 1)));
    EXPECT_FALSE(suffices({}, asked({}, 1)));
    EXPECT_TRUE(suffices({{"*"}}, asked({"admins"}, 1)));
}

TEST(Lent, CoversWhatRunsInsideAndNothingElse) {
    LentApprovals lent;
    lent.lend({7, 70, {"bob"}, {{"hoopguard_approver"}}});
    std::set<std::uint64_t> open = {7, 8};
    std::set<std::uint64_t> running = {8};
    auto const is_open = [&](std::uint64_t number) { return open.contains(number); };
    auto const runs = [&](std::uint64_t number) { return running.contains(number); };
    EXPECT_EQ(lent.covering(asked({}, 1), is_open, runs), nullptr);  // a cursor that stands open
    running.insert(7);
    auto const* const found = lent.covering(asked({}, 1), is_open, runs);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->request, 70u);
    EXPECT_EQ(lent.covering(asked({"admins"}, 1), is_open, runs), nullptr);
    open.erase(7);
    EXPECT_EQ(lent.covering(asked({}, 1), is_open, runs), nullptr);
    open.insert(7);  // forgotten for good
    EXPECT_EQ(lent.covering(asked({}, 1), is_open, runs), nullptr);
}

}  // namespace
}  // namespace hoopguard::approve
