// Deciding: who is covered, what matches, and which of several rules speaks.
#include "decide/guardrails.hpp"

#include "policy/compile.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace hoopguard::decide {
namespace {

using classify::Footprint;
using policy::Guardrail;
using policy::StatementClass;
using policy::Words;

class FixedClock final : public Clock {
 public:
    std::optional<policy::WallClock> in_zone(std::string_view zone) const override {
        if (zone == "Mars/Olympus") return std::nullopt;
        return now_here;
    }
    std::uint64_t now() const override { return time; }
    policy::WallClock now_here{0, 12 * 60};
    std::uint64_t time = 1'000'000;
};

Guardrail rule(std::string name, std::string action, Words classes) {
    Guardrail row;
    row.name = std::move(name);
    row.action = std::move(action);
    row.classes = std::move(classes);
    return row;
}

Speaker speaker(std::vector<std::string> login, std::vector<std::string> effective) {
    return {std::move(login), std::move(effective), false, "shop"};
}

Footprint touching(StatementClass one, std::string name = "public.orders", std::string_view kind = "table") {
    Footprint footprint;
    footprint.classes.add(one);
    footprint.objects.push_back({kind, std::move(name), one});
    return footprint;
}

class GuardrailsTest : public testing::Test {
 protected:
    void policy(std::vector<Guardrail> rows) {
        policy::Tables tables;
        tables.guardrails = std::move(rows);
        auto compiled = policy::compile(tables, 1, 1, 1);
        ASSERT_TRUE(compiled.ok()) << compiled.error().message;
        bytes_ = *compiled;
        auto image = policy::Image::open(bytes_);
        ASSERT_TRUE(image.ok()) << image.error().message;
        image_ = std::make_unique<policy::Image>(*image);
    }
    Decision judge(const Footprint& footprint, const Speaker& who = speaker({"agent"}, {"agent"}),
                   bool observe = false) const {
        return Guardrails(*image_, who).judge(footprint, clock_, observe);
    }
    std::string said(const Footprint& footprint, const Speaker& who = speaker({"agent"}, {"agent"})) const {
        return judge(footprint, who).guardrail;
    }
    FixedClock clock_;
    base::Bytes bytes_;
    std::unique_ptr<policy::Image> image_;
};

TEST_F(GuardrailsTest, NoPolicyAllows) {
    policy({});
    EXPECT_EQ(judge(touching(StatementClass::kDdlDrop)).verdict, Verdict::kAllow);
    EXPECT_TRUE(Guardrails(*image_, speaker({"a"}, {"a"})).reach().empty());
}

TEST_F(GuardrailsTest, ClassesCoverWhatLiesBelow) {
    policy({rule("r", "block", {"ddl"})});
    auto const decision = judge(touching(StatementClass::kDdlDrop));
    EXPECT_TRUE(decision.refuses());
    EXPECT_EQ(decision.reason, "ddl.drop of table public.orders");
    EXPECT_EQ(decision.message, "statement is blocked by guardrail \"r\"");
    EXPECT_FALSE(decision.hint.empty());
    EXPECT_EQ(said(touching(StatementClass::kRead)), "");
}

TEST_F(GuardrailsTest, KindsNarrow) {
    policy({rule("r", "block", {"ddl.drop.table", "grant"})});
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "r");
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop, "public.v", "view")), "");
    Footprint grant;
    grant.classes.add(StatementClass::kGrant);
    EXPECT_EQ(said(grant), "r");
}

TEST_F(GuardrailsTest, ObjectsAreTheOnesTheClassActsOn) {
    auto row = rule("r", "block", {"write"});
    row.objects = Words{"secret.*", "orders"};
    policy({row});
    EXPECT_EQ(said(touching(StatementClass::kWriteDelete, "secret.keys")), "r");
    EXPECT_EQ(said(touching(StatementClass::kWriteDelete, "public.orders")), "r");
    EXPECT_EQ(said(touching(StatementClass::kWriteDelete, "public.orders_old")), "");
    auto footprint = touching(StatementClass::kWriteDelete, "public.items");
    footprint.classes.add(StatementClass::kRead);
    footprint.objects.push_back({"table", "secret.keys", StatementClass::kRead});
    EXPECT_EQ(said(footprint), "");
    Footprint nothing;
    nothing.classes.add(StatementClass::kWriteDelete);
    EXPECT_EQ(said(nothing), "");
}

TEST_F(GuardrailsTest, EitherEndOfTheSpeakerHits) {
    auto row = rule("r", "block", {"*"});
    row.roles = Words{"agent", "group:bots"};
    policy({row});
    auto const drop = touching(StatementClass::kDdlDrop);
    EXPECT_EQ(said(drop, speaker({"agent", "x"}, {"owner"})), "r");
    EXPECT_EQ(said(drop, speaker({"owner"}, {"agent"})), "r");
    EXPECT_EQ(said(drop, speaker({"group:bots", "z"}, {"z"})), "r");
    EXPECT_EQ(said(drop, speaker({"owner"}, {"owner"})), "");
}

TEST_F(GuardrailsTest, ExceptionsNeedBothEnds) {
    auto row = rule("r", "block", {"*"});
    row.except_roles = Words{"dba"};
    policy({row});
    auto const drop = touching(StatementClass::kDdlDrop);
    EXPECT_EQ(said(drop, speaker({"dba"}, {"dba"})), "");
    EXPECT_EQ(said(drop, speaker({"agent"}, {"dba"})), "r");
    EXPECT_EQ(said(drop, speaker({"dba"}, {"agent"})), "r");
}

TEST_F(GuardrailsTest, SystemRolesAreCoveredOnlyByName) {
    auto named = rule("named", "block", {"database"});
    named.roles = Words{"replicator"};
    policy({rule("all", "block", {"*"}), named});
    auto who = speaker({"replicator"}, {"replicator"});
    who.system = true;
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop), who), "");
    EXPECT_EQ(said(touching(StatementClass::kDatabase), who), "named");
}

TEST_F(GuardrailsTest, DatabasesAreGlobs) {
    auto row = rule("r", "block", {"*"});
    row.databases = Words{"sh*"};
    policy({row});
    auto who = speaker({"agent"}, {"agent"});
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop), who), "r");
    who.database = "template1";
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop), who), "");
}

TEST_F(GuardrailsTest, TheStrictestWins) {
    policy({rule("a warn", "warn", {"ddl"}), rule("b ask", "ask", {"ddl"}), rule("c block", "block", {"ddl"}),
            rule("d block", "block", {"ddl"})});
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "c block");
    EXPECT_FALSE(judge(touching(StatementClass::kDdlDrop)).warns());
    policy({rule("a warn", "warn", {"ddl"}), rule("b ask", "ask", {"ddl"})});
    EXPECT_TRUE(judge(touching(StatementClass::kDdlDrop)).refuses());
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "b ask");
}

TEST_F(GuardrailsTest, ObservedRulesAreOnRecordAndRefuseNothing) {
    auto observed = rule("a observed", "block", {"ddl"});
    observed.mode = "observe";
    policy({observed, rule("b warn", "warn", {"ddl"})});
    auto decision = judge(touching(StatementClass::kDdlDrop));
    EXPECT_EQ(decision.guardrail, "a observed");
    EXPECT_EQ(decision.verdict, Verdict::kBlock);
    EXPECT_FALSE(decision.enforced);
    EXPECT_FALSE(decision.refuses());
    EXPECT_EQ(decision.warning_from, "b warn");
    // An enforced rule that refuses comes before a stricter one under observation.
    policy({observed, rule("b ask", "ask", {"ddl"})});
    decision = judge(touching(StatementClass::kDdlDrop));
    EXPECT_EQ(decision.guardrail, "b ask");
    EXPECT_TRUE(decision.refuses());
}

TEST_F(GuardrailsTest, ObserveModeOfTheClusterEnforcesNothing) {
    policy({rule("a", "block", {"ddl"}), rule("w", "warn", {"ddl"})});
    auto const decision = judge(touching(StatementClass::kDdlDrop), speaker({"x"}, {"x"}), true);
    EXPECT_EQ(decision.guardrail, "a");
    EXPECT_FALSE(decision.refuses());
    EXPECT_FALSE(decision.warns());
}

TEST_F(GuardrailsTest, RulesThatAreOffDoNothing) {
    auto row = rule("r", "block", {"*"});
    row.mode = "off";
    policy({row});
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "");
}

TEST_F(GuardrailsTest, SchedulesAskTheClock) {
    auto row = rule("r", "block", {"ddl"});
    row.schedule = "Mon-Fri 09:00-18:00";
    policy({row});
    EXPECT_TRUE(Guardrails(*image_, speaker({"x"}, {"x"})).depends_on_time(StatementClass::kDdlDrop));
    EXPECT_FALSE(Guardrails(*image_, speaker({"x"}, {"x"})).depends_on_time(StatementClass::kRead));
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "r");
    clock_.now_here = {5, 12 * 60};
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "");
    row.schedule = "Mon 09:00-10:00 Mars/Olympus";
    policy({row});
    EXPECT_EQ(said(touching(StatementClass::kDdlDrop)), "r");
}

TEST_F(GuardrailsTest, CostIsALimit) {
    auto row = rule("r", "block", {"read"});
    row.max_cost = 100;
    policy({row});
    auto footprint = touching(StatementClass::kRead);
    footprint.cost = 100;
    EXPECT_EQ(said(footprint), "");
    footprint.cost = 100.5;
    EXPECT_EQ(said(footprint), "r");
}

TEST_F(GuardrailsTest, MessagesAreTheGuardrailsOwn) {
    auto row = rule("r", "block", {"ddl"});
    row.message = "Open a ticket.";
    policy({row});
    EXPECT_EQ(judge(touching(StatementClass::kDdlDrop)).message, "Open a ticket.");
}

// The choice among ten thousand rules is the same as asking each of them.
TEST_F(GuardrailsTest, TheIndexFindsWhatAScanFinds) {
    std::vector<Guardrail> rows;
    for (int i = 0; i < 10000; ++i) {
        auto row = rule("r" + std::to_string(100000 + i), "block", {i % 2 ? "ddl.drop" : "read"});
        row.roles = Words{"role" + std::to_string(i % 997), "role" + std::to_string(i % 13)};
        row.objects = Words{"s.t" + std::to_string(i)};
        rows.push_back(row);
    }
    policy(rows);
    for (int i : {0, 5, 12, 13, 500, 996, 997, 9999}) {
        auto const held = "role" + std::to_string(i % 997);
        auto const touched =
            touching(i % 2 ? StatementClass::kDdlDrop : StatementClass::kRead, "s.t" + std::to_string(i));
        EXPECT_EQ(said(touched, speaker({held}, {held})), "r" + std::to_string(100000 + i));
        EXPECT_EQ(said(touched, speaker({"nobody"}, {"nobody"})), "");
    }
}

}  // namespace
}  // namespace hoopguard::decide
