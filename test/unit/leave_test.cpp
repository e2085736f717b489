// Grants: what they lift, for whom, where and until when.
#include "decide/guardrails.hpp"
#include "policy/compile.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <memory>

namespace hoopguard::decide {
namespace {

using classify::Footprint;
using policy::Grant;
using policy::Guardrail;
using policy::StatementClass;
using policy::Words;

class FixedClock final : public Clock {
 public:
    std::optional<policy::WallClock> in_zone(std::string_view) const override { return policy::WallClock{0, 0}; }
    std::uint64_t now() const override { return time; }
    std::uint64_t time = 999;
};

Guardrail rule(std::string name, std::string action, Words classes) {
    Guardrail row;
    row.name = std::move(name);
    row.action = std::move(action);
    row.classes = std::move(classes);
    return row;
}

Grant grant(std::int64_t id, Words classes, std::optional<Words> objects = {}) {
    Grant row;
    row.id = id;
    row.request = id + 100;
    row.actor = "agent";
    row.classes = std::move(classes);
    row.objects = std::move(objects);
    row.valid_until = 1000;
    row.decided_by = Words{"anna"};
    return row;
}

Footprint touching(std::initializer_list<std::pair<StatementClass, std::string>> objects) {
    Footprint footprint;
    for (auto const& [one, name] : objects) {
        footprint.classes.add(one);
        footprint.objects.push_back({"table", name, one});
    }
    return footprint;
}

class LeaveTest : public testing::Test {
 protected:
    void policy(std::vector<Guardrail> rules, std::vector<Grant> grants) {
        policy::Tables tables;
        tables.guardrails = std::move(rules);
        tables.grants = std::move(grants);
        auto compiled = policy::compile(tables, 1, 1, 1);
        ASSERT_TRUE(compiled.ok()) << compiled.error().message;
        bytes_ = *compiled;
        auto image = policy::Image::open(bytes_);
        ASSERT_TRUE(image.ok()) << image.error().message;
        image_ = std::make_unique<policy::Image>(*image);
    }
    Decision judge(const Footprint& footprint, const Asker& asker = {"", "agent", "shop", 5}) const {
        Speaker const speaker{{"agent"}, {"agent"}, false, "shop"};
        return Guardrails(*image_, speaker).judge(footprint, clock_, false, Leave(*image_, asker));
    }
    FixedClock clock_;
    base::Bytes bytes_;
    std::unique_ptr<policy::Image> image_;
};

Footprint const kUpdate = touching({{StatementClass::kWriteUpdate, "public.orders"}});

TEST_F(LeaveTest, LiftsAskAndSaysByWhom) {
    policy({rule("writes", "ask", {"write"})}, {grant(3, {"write.update"}, Words{"public.orders"})});
    auto const decision = judge(kUpdate);
    EXPECT_FALSE(decision.refuses());
    EXPECT_EQ(decision.verdict, Verdict::kAsk);
    EXPECT_TRUE(decision.enforced);
    EXPECT_EQ(decision.guardrail, "writes");
    EXPECT_EQ(decision.approval, 103u);
    EXPECT_EQ(decision.decided_by, std::vector<std::string>{"anna"});
    EXPECT_EQ(decision.grants, std::vector<std::uint64_t>{3});
}

TEST_F(LeaveTest, NeverLiftsBlock) {
    policy({rule("a", "ask", {"write"}), rule("b", "block", {"write"})}, {grant(1, {"*"})});
    auto const decision = judge(kUpdate);
    EXPECT_TRUE(decision.refuses());
    EXPECT_EQ(decision.verdict, Verdict::kBlock);
    EXPECT_EQ(decision.approval, 0u);
    EXPECT_TRUE(decision.grants.empty());
}

TEST_F(LeaveTest, CoversEveryObjectOrNone) {
    policy({rule("writes", "ask", {"write"})}, {grant(1, {"write"}, Words{"public.orders"})});
    auto const both = touching(
        {{StatementClass::kWriteUpdate, "public.orders"}, {StatementClass::kWriteInsert, "public.people"}});
    EXPECT_TRUE(judge(both).refuses());
    EXPECT_EQ(judge(both).reason, "write.insert of table public.people");
    // Classes of no object need leave that is not bound to objects.
    Footprint code;
    code.classes.add(StatementClass::kWriteDelete);
    EXPECT_TRUE(judge(code).refuses());
    policy({rule("writes", "ask", {"write"})}, {grant(1, {"write"})});
    EXPECT_FALSE(judge(code).refuses());
    EXPECT_FALSE(judge(both).refuses());
}

// One who may not log in asks for it elsewhere.
TEST_F(LeaveTest, LetsInWhereverItWasGiven) {
    auto one = grant(1, {"login"}, Words{"shop"});
    one.database = "postgres";
    Footprint login;
    login.classes.add(StatementClass::kLogin);
    login.objects.push_back({"database", "shop", StatementClass::kLogin});
    policy({rule("logins", "ask", {"login"})}, {one});
    EXPECT_FALSE(judge(login).refuses());
    EXPECT_EQ(judge(login).grants, std::vector<std::uint64_t>{1});
    login.objects[0].name = "other";
    EXPECT_TRUE(judge(login).refuses());
    one = grant(1, {"login", "write"});
    one.database = "postgres";
    policy({rule("all", "ask", {"login", "write"})}, {one});
    EXPECT_FALSE(judge(login).refuses());
    EXPECT_TRUE(judge(kUpdate).refuses());
    // "*" is about statements.
    policy({rule("all", "block", {"*"})}, {});
    EXPECT_FALSE(judge(login).refuses());
}

TEST_F(LeaveTest, SeveralCoverTogether) {
    policy({rule("writes", "ask", {"write"}), rule("unbounded", "ask", {"write.unbounded"})},
           {grant(1, {"write.update"}), grant(2, {"write.unbounded"}, Words{"orders"})});
    Footprint footprint = kUpdate;
    footprint.classes.add(StatementClass::kWriteUnbounded);
    footprint.objects[0].classes.add(StatementClass::kWriteUnbounded);
    auto const decision = judge(footprint);
    EXPECT_FALSE(decision.refuses());
    auto grants = decision.grants;
    std::ranges::sort(grants);
    EXPECT_EQ(grants, (std::vector<std::uint64_t>{1, 2}));
    footprint.objects[0].name = "public.people";
    EXPECT_TRUE(judge(footprint).refuses());
}

TEST_F(LeaveTest, EndsToTheMoment) {
    policy({rule("writes", "ask", {"write"})}, {grant(1, {"write"})});
    EXPECT_FALSE(judge(kUpdate).refuses());
    clock_.time = 1000;
    EXPECT_TRUE(judge(kUpdate).refuses());
}

TEST_F(LeaveTest, IsForOneActorInOneDatabaseAndSession) {
    auto one = grant(1, {"write"});
    one.database = "shop";
    one.session = "1.5";
    policy({rule("writes", "ask", {"write"})}, {one});
    Asker const here{"", "agent", "shop", (std::uint64_t{1} << 32) + 5};
    EXPECT_FALSE(judge(kUpdate, here).refuses());
    EXPECT_TRUE(judge(kUpdate, {"", "agent", "shop", 5}).refuses());
    EXPECT_TRUE(judge(kUpdate, {"", "other", "shop", here.session}).refuses());
    EXPECT_TRUE(judge(kUpdate, {"", "agent", "bank", here.session}).refuses());
    // The subject of an identity provider is not the role of the same name.
    EXPECT_TRUE(judge(kUpdate, {"okta", "agent", "shop", here.session}).refuses());
}

TEST_F(LeaveTest, KindsNarrow) {
    policy({rule("ddl", "ask", {"ddl"})}, {grant(1, {"ddl.drop.table"})});
    auto footprint = touching({{StatementClass::kDdlDrop, "public.orders"}});
    EXPECT_FALSE(judge(footprint).refuses());
    footprint.objects[0].kind = "view";
    EXPECT_TRUE(judge(footprint).refuses());
}

TEST_F(LeaveTest, InvalidRowsNeverComeIntoForce) {
    policy::Tables tables;
    tables.grants = {grant(1, {"writes"})};
    EXPECT_FALSE(policy::compile(tables, 1, 1, 1).ok());
    tables.grants = {grant(1, {"write"})};
    tables.grants[0].valid_until.reset();
    EXPECT_FALSE(policy::compile(tables, 1, 1, 1).ok());
    tables.grants[0].session = "6553f100.1a2b";
    EXPECT_TRUE(policy::compile(tables, 1, 1, 1).ok());
    tables.grants[0].session = "6553f100";
    EXPECT_FALSE(policy::compile(tables, 1, 1, 1).ok());
}

}  // namespace
}  // namespace hoopguard::decide
