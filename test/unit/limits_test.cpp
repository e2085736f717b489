// Limits of guardrails: what is judged by expectation before a statement runs, and what is left to watch.
#include "decide/guardrails.hpp"

#include "policy/compile.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace hoopguard::decide {
namespace {

using classify::Footprint;
using classify::ObjectName;
using policy::ClassSet;
using policy::Guardrail;
using policy::StatementClass;
using policy::Words;

class NoClock final : public Clock {
 public:
    std::optional<policy::WallClock> in_zone(std::string_view) const override { return std::nullopt; }
    std::uint64_t now() const override { return 0; }
};

ObjectName changed(std::string name, double rows, std::uint32_t relation) {
    ObjectName object;
    object.kind = "table";
    object.name = std::move(name);
    object.classes = StatementClass::kWriteDelete;
    object.rows = rows;
    object.relation = relation;
    return object;
}

Footprint deleting(double rows) {
    Footprint footprint;
    footprint.classes = StatementClass::kWriteDelete;
    footprint.objects.push_back(changed("public.orders", rows, 100));
    return footprint;
}

class LimitsTest : public testing::Test {
 protected:
    Guardrail rule(Words classes) {
        Guardrail row;
        row.name = "limit";
        row.action = "block";
        row.classes = std::move(classes);
        return row;
    }
    void policy(std::vector<Guardrail> rows) {
        policy::Tables tables;
        tables.guardrails = std::move(rows);
        auto compiled = policy::compile(tables, 1, 1, 1);
        ASSERT_TRUE(compiled.ok()) << compiled.error().message;
        bytes_ = *compiled;
        image_ = std::make_unique<policy::Image>(*policy::Image::open(bytes_));
        guardrails_ = Guardrails(*image_, {{"agent"}, {"agent"}, false, "shop"});
    }
    Decision judge(const Footprint& footprint) { return guardrails_.judge(footprint, NoClock(), false); }
    std::vector<Limit> limits(const Footprint& footprint) {
        return guardrails_.limits(footprint, NoClock(), false);
    }
    base::Bytes bytes_;
    std::unique_ptr<policy::Image> image_;
    Guardrails guardrails_;
};

TEST_F(LimitsTest, ExpectedRowsAreJudgedBefore) {
    auto row = rule({"write"});
    row.max_rows = 10;
    policy({row});
    EXPECT_FALSE(judge(deleting(10)).refuses());
    auto const decision = judge(deleting(11));
    EXPECT_TRUE(decision.refuses());
    EXPECT_FALSE(decision.late);
    EXPECT_EQ(decision.reason, "write.delete of table public.orders: 11 rows expected, at most 10 allowed");
}

TEST_F(LimitsTest, NamedTablesAddUpPartitionsAndViewsDoNot) {
    auto row = rule({"write"});
    row.max_rows = 10;
    policy({row});
    auto footprint = deleting(6);
    footprint.objects.push_back(changed("public.items", 4, 101));
    EXPECT_FALSE(judge(footprint).refuses());
    footprint.objects.push_back(changed("public.orders_1", 6, 102));
    footprint.objects.back().implied = true;
    footprint.objects.push_back(changed("public.orders_view", 6, 103));
    footprint.objects.back().kind = "view";
    EXPECT_FALSE(judge(footprint).refuses());
    footprint.objects[1].rows = 5;
    EXPECT_TRUE(judge(footprint).refuses());
}

TEST_F(LimitsTest, TruncateIsBeyondAnyNumber) {
    auto row = rule({"write"});
    row.max_rows = 1000000;
    policy({row});
    auto footprint = deleting(classify::kAllRows);
    footprint.classes = footprint.objects[0].classes = StatementClass::kWriteTruncate;
    EXPECT_EQ(judge(footprint).reason,
              "write.truncate of table public.orders: all rows expected, at most 1000000 allowed");
}

TEST_F(LimitsTest, RowsReadCountForClassesThatRead) {
    auto reads = rule({"read"});
    reads.max_rows = 100;
    auto writes = rule({"write"});
    writes.name = "writes";
    writes.max_rows = 1;
    policy({reads, writes});
    Footprint footprint;
    footprint.classes = StatementClass::kRead;
    footprint.objects.push_back({"table", "public.orders", StatementClass::kRead});
    footprint.rows_read = 100;
    EXPECT_FALSE(judge(footprint).refuses());
    footprint.rows_read = 101;
    EXPECT_EQ(judge(footprint).guardrail, "limit");
    auto const watched = limits(footprint);
    ASSERT_EQ(watched.size(), 1u);
    EXPECT_TRUE(watched[0].reads);
    EXPECT_FALSE(watched[0].writes);
}

TEST_F(LimitsTest, AnyLimitThatIsPassedWillDo) {
    auto row = rule({"write"});
    row.max_rows = 10;
    row.max_cost = 1000;
    policy({row});
    auto footprint = deleting(5);
    footprint.cost = 1001;
    EXPECT_EQ(judge(footprint).reason,
              "write.delete of table public.orders: cost 1001 expected, at most 1000 allowed");
    footprint.cost = 1000;
    EXPECT_FALSE(judge(footprint).refuses());
}

TEST_F(LimitsTest, WhatOnlyRunningTellsIsWatched) {
    auto rows = rule({"write.delete"});
    rows.max_rows = 10;
    rows.per = 3600000000;
    rows.objects = Words{"public.orders"};
    auto slow = rule({"*"});
    slow.name = "slow";
    slow.action = "warn";
    slow.max_duration = 5000000;
    policy({rows, slow});
    EXPECT_TRUE(guardrails_.has_limits(StatementClass::kRead));
    EXPECT_FALSE(judge(deleting(10)).refuses());
    auto const watched = limits(deleting(10));
    ASSERT_EQ(watched.size(), 2u);
    EXPECT_EQ(watched[0].max_rows, 10u);
    EXPECT_EQ(watched[0].per, 3600000000);
    EXPECT_EQ(watched[0].relations, std::vector<std::uint32_t>{100});
    EXPECT_FALSE(watched[0].all_relations);
    EXPECT_TRUE(watched[0].decision.late);
    EXPECT_TRUE(watched[0].decision.refuses());
    EXPECT_FALSE(watched[1].has_rows());
    EXPECT_EQ(watched[1].max_duration, 5000000);
    auto elsewhere = deleting(10);
    elsewhere.objects[0].name = "public.items";
    EXPECT_EQ(limits(elsewhere).size(), 1u);
}

TEST_F(LimitsTest, WhatHasNoClassIsTimedByARuleOnEverything) {
    auto slow = rule({"*"});
    slow.max_duration = 5000000;
    slow.max_rows = 10;
    auto some = rule({"read", "write"});
    some.name = "some";
    some.max_duration = 1000000;
    auto placed = rule({"*"});
    placed.name = "placed";
    placed.max_duration = 1000000;
    placed.objects = Words{"public.*"};
    policy({some, placed});
    EXPECT_FALSE(guardrails_.has_limits({}));
    EXPECT_TRUE(limits({}).empty());
    policy({slow, some, placed});
    EXPECT_TRUE(guardrails_.has_limits({}));
    auto const watched = limits({});
    ASSERT_EQ(watched.size(), 1u);
    EXPECT_EQ(watched[0].max_duration, 5000000);
    EXPECT_FALSE(watched[0].has_rows());
    EXPECT_EQ(watched[0].decision.reason, "of no class");
}

TEST_F(LimitsTest, ARuleWithoutLimitsLeavesNothingToWatch) {
    policy({rule({"write"})});
    EXPECT_FALSE(guardrails_.has_limits(policy::kEveryClass));
    EXPECT_TRUE(limits(deleting(1)).empty());
}

TEST_F(LimitsTest, AskSaysWhoDecides) {
    auto row = rule({"write"});
    row.action = "ask";
    row.approvers = Words{"lead", "group:dba"};
    row.min_approvals = 2;
    row.wait = 0;
    policy({row});
    auto const decision = judge(deleting(1));
    EXPECT_EQ(decision.approvers, (std::vector<std::string>{"lead", "group:dba"}));
    EXPECT_EQ(decision.min_approvals, 2u);
    EXPECT_EQ(decision.wait, 0);
}

}  // namespace
}  // namespace hoopguard::decide
