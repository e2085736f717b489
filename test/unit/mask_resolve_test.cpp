// Choosing among mask policies: whom they concern, which one wins, and what a fingerprint tells apart.
#include "mask/resolve.hpp"

#include "policy/compile.hpp"

#include <gtest/gtest.h>

#include <list>

namespace hoopguard::mask {
namespace {

using policy::MaskPolicyRow;
using policy::Words;

class ResolveTest : public testing::Test {
 protected:
    // The rules for a speaker with these roles at both ends.
    MaskRules rules(std::vector<MaskPolicyRow> policies, std::vector<std::string> roles, bool covered = false) {
        Speaker speaker;
        speaker.login.roles = speaker.effective.roles = std::move(roles);
        speaker.login.covered = speaker.effective.covered = covered;
        speaker.database = "shop";
        return {image(std::move(policies)), speaker};
    }
    const policy::Image* image(std::vector<MaskPolicyRow> policies) {
        policy::Tables tables;
        tables.database = "postgres";
        tables.mask_policies = std::move(policies);
        tables.data_classes = {{"badge", "partial(1, 1)", std::nullopt, false}};
        auto bytes = policy::compile(tables, 1, 1, 1);
        EXPECT_TRUE(bytes.ok());
        bytes_.push_back(std::move(*bytes));
        images_.push_back(*policy::Image::open(bytes_.back()));
        return &images_.back();
    }
    static std::string method(const MaskRules& rules, std::string_view data_class,
                              std::string_view table = "public.customer") {
        std::string_view const own[] = {table};
        return to_text(rules.method(data_class, {own, {}}));
    }
    std::list<base::Bytes> bytes_;
    std::list<policy::Image> images_;
};

MaskPolicyRow row(std::string data_class, std::string method, std::optional<Words> roles = {},
                  std::int64_t rank = 100) {
    MaskPolicyRow one;
    one.data_class = std::move(data_class);
    one.method = std::move(method);
    one.roles = std::move(roles);
    one.rank = rank;
    return one;
}

TEST_F(ResolveTest, NobodyIsMaskedUnlessCoveredOrNamed) {
    auto const plain = rules({row("email", "null")}, {"bob"});
    EXPECT_FALSE(plain.any());
    EXPECT_EQ(method(plain, "email"), "clear");
    EXPECT_EQ(method(rules({row("email", "null")}, {"bob"}, true), "email"), "null");
    EXPECT_EQ(method(rules({row("email", "null", Words{"staff"})}, {"bob", "staff"}), "email"), "null");
    EXPECT_EQ(method(rules({row("email", "null", Words{"staff"})}, {"bob"}), "email"), "clear");
}

TEST_F(ResolveTest, CoveredActorsGetTheClassesOwnMethods) {
    auto const covered = rules({}, {"agent"}, true);
    EXPECT_EQ(method(covered, "email"), "email");
    EXPECT_EQ(method(covered, "badge"), "partial(1, 1)");
    EXPECT_EQ(method(covered, "nobody_knows"), "redact");
    EXPECT_EQ(method(covered, "unclassified"), "clear");
    EXPECT_FALSE(covered.any_unclassified());
}

TEST_F(ResolveTest, TheLowestRankWins) {
    auto const both = rules({row("ssn", "null", Words{"a"}, 20), row("ssn", "clear", Words{"b"}, 10)}, {"a", "b"});
    EXPECT_EQ(method(both, "ssn"), "clear");
    auto const other =
        rules({row("ssn", "null", Words{"a"}, 10), row("ssn", "clear", Words{"b"}, 20)}, {"a", "b"});
    EXPECT_EQ(method(other, "ssn"), "null");
    EXPECT_EQ(
        method(rules({row("ssn", "null", Words{"a"}, -5), row("ssn", "clear", Words{"a", "b"}, 0)}, {"a"}), "ssn"),
        "null");
}

TEST_F(ResolveTest, OnATieTheMoreSpecificWinsThenTheOneThatMasks) {
    auto const named = rules({row("ssn", "null"), row("ssn", "clear", Words{"a"})}, {"a"}, true);
    EXPECT_EQ(method(named, "ssn"), "clear");
    auto here = row("ssn", "null", Words{"a"});
    here.objects = Words{"public.*"};
    auto const placed = rules({row("ssn", "clear", Words{"a"}), here}, {"a"});
    EXPECT_EQ(method(placed, "ssn"), "null");
    EXPECT_EQ(method(placed, "ssn", "crm.customer"), "clear");
    EXPECT_EQ(method(rules({row("ssn", "clear", Words{"a"}), row("ssn", "null", Words{"b"})}, {"a", "b"}), "ssn"),
              "null");
}

TEST_F(ResolveTest, ExceptDatabasesAndObjects) {
    auto one = row("email", "null", Words{"staff"});
    one.except_roles = Words{"lead"};
    EXPECT_EQ(method(rules({one}, {"staff", "lead"}), "email"), "clear");
    one.except_roles.reset();
    one.databases = Words{"sh*"};
    EXPECT_EQ(method(rules({one}, {"staff"}), "email"), "null");
    one.databases = Words{"other"};
    EXPECT_FALSE(rules({one}, {"staff"}).any());
}

TEST_F(ResolveTest, WhatAChildHidesItsParentHidesToo) {
    auto hidden = row("email", "null", Words{"a"});
    hidden.objects = Words{"public.child"};
    auto shown = row("email", "clear", Words{"a"}, 1);
    shown.objects = Words{"public.child"};
    std::string_view const parent[] = {"public.parent"};
    std::string_view const child[] = {"public.child"};
    EXPECT_EQ(rules({hidden}, {"a"}).method("email", {parent, child}).kind, MethodKind::kNull);
    EXPECT_EQ(rules({shown, row("email", "null", Words{"a"})}, {"a"}).method("email", {parent, child}).kind,
              MethodKind::kNull);
}

TEST_F(ResolveTest, BothEndsMustSee) {
    Speaker speaker;
    speaker.login.roles = {"boss"};
    speaker.effective.roles = {"agent"};
    speaker.effective.covered = true;
    EXPECT_EQ(method(MaskRules(nullptr, speaker), "email"), "email");
    std::swap(speaker.login, speaker.effective);
    EXPECT_EQ(method(MaskRules(nullptr, speaker), "email"), "email");
    speaker.login.superuser = true;
    EXPECT_FALSE(MaskRules(nullptr, speaker).any());
}

TEST_F(ResolveTest, GrantsShowAClass) {
    Speaker speaker;
    speaker.login.covered = speaker.effective.covered = true;
    MaskRules const before(nullptr, speaker);
    speaker.unmasked = {"email"};
    MaskRules const granted(nullptr, speaker);
    EXPECT_EQ(method(granted, "email"), "clear");
    EXPECT_EQ(method(granted, "ssn"), "partial(0, 4)");
    EXPECT_NE(before.fingerprint(), granted.fingerprint());
}

TEST_F(ResolveTest, AMethodNobodyKnowsMasksAll) {
    EXPECT_EQ(method(rules({row("email", "from the future", Words{"a"})}, {"a"}), "email"), "redact");
}

TEST_F(ResolveTest, TheFingerprintTellsWhatIsShownApart) {
    auto const one = rules({row("email", "null", Words{"a"})}, {"a"}).fingerprint();
    EXPECT_EQ(one, rules({row("email", "null", Words{"a", "b"})}, {"a"}).fingerprint());
    EXPECT_NE(one, rules({row("email", "redact", Words{"a"})}, {"a"}).fingerprint());
    EXPECT_NE(one, rules({row("email", "null", Words{"a"}), row("ssn", "null", Words{"a"})}, {"a"}).fingerprint());
    EXPECT_NE(one, rules({}, {"a"}, true).fingerprint());
}

TEST_F(ResolveTest, AMethodThatCannotKeepATypeIsFound) {
    auto const* const held = image({row("card", "email", Words{"a"}), row("badge", "null")});
    EXPECT_EQ(misfit_of(held, "card", TypeFamily::kConstant)->kind, MethodKind::kEmail);
    EXPECT_FALSE(misfit_of(held, "badge", TypeFamily::kConstant));  // null stands in for its own method
    EXPECT_EQ(misfit_of(held, "phone", TypeFamily::kConstant)->kind, MethodKind::kPartial);
    // Telephone numbers are numbers, too: what the class itself does not fit is redacted. What one wrote is not.
    EXPECT_FALSE(misfit_of(nullptr, "phone", TypeFamily::kInteger));
    EXPECT_FALSE(misfit_of(nullptr, "card", TypeFamily::kNumeric));
    EXPECT_TRUE(misfit_of(nullptr, "email", TypeFamily::kInteger));
    EXPECT_TRUE(misfit_of(held, "card", TypeFamily::kInteger));
    EXPECT_FALSE(misfit_of(nullptr, "email", TypeFamily::kText));
}

}  // namespace
}  // namespace hoopguard::mask
