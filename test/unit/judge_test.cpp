// What columns are taken for, and that the evidence shows no value.
#include "detect/judge.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace hoopguard::detect;
using Values = std::vector<std::string_view>;

Judgement judge(std::string_view name, Family family, const Values& values) {
    Judgement const judgement = judge_column(Detector::of_process(), name, family, values);
    for (std::string_view const value : values) {
        if (value.size() <= 3) continue;
        EXPECT_EQ(judgement.evidence.find(value), std::string::npos) << judgement.evidence;
    }
    return judgement;
}

TEST(Judge, ByNameAndValues) {
    Judgement const mail = judge("email", Family::kText, {"a@b.com", "c@d.org", "", "e@f.net"});
    EXPECT_EQ(mail.data_class, "email");
    EXPECT_GT(mail.score, 0.9F);
    EXPECT_EQ(mail.score, std::round(mail.score * 100) / 100) << "in hundredths";
    EXPECT_EQ(mail.evidence, "named so; 3 of 3 sampled values are of that form");
    EXPECT_EQ(judge("contact", Family::kText, {"a@b.com", "c@d.org"}).data_class, "email");
    EXPECT_GE(judge("contact", Family::kText, {"a@b.com", "c@d.org"}).score, 0.9F);
    EXPECT_EQ(judge("ssn", Family::kNumber, {"219099999", "219099998"}).data_class, "ssn");
    EXPECT_EQ(judge("born_on", Family::kDate, {"1980-01-01", "1990-05-05"}).data_class, "birth_date");
    EXPECT_GE(judge("date_of_birth", Family::kDate, {"1980-01-01", "1990-05-05"}).score, 0.8F);
    EXPECT_EQ(judge("client", Family::kAddress, {"10.1.2.3", "10.1.2.4"}).data_class, "ip_address");
    EXPECT_EQ(judge("num", Family::kNumber, {"4111111111111111"}).data_class, "card");
}

TEST(Judge, WhatHasNoFormNeedsItsName) {
    EXPECT_EQ(judge("first_name", Family::kText, {"Jane", "Zo\xc3\xab"}).data_class, "person_name");
    EXPECT_GE(judge("first_name", Family::kText, {"Jane", "John"}).score, 0.8F);
    EXPECT_LT(judge("first_name", Family::kText, {"x_1", "y_2"}).score, 0.8F);
    EXPECT_EQ(judge("shipping_address", Family::kText, {"12 Main Street"}).data_class, "address");
    EXPECT_EQ(judge("password_hash", Family::kText, {"deadbeefdeadbeef"}).data_class, "secret");
    EXPECT_EQ(judge("given", Family::kText, {"Jane", "John"}).data_class, "");
    Judgement const unread = judge("email", Family::kText, {});
    EXPECT_EQ(unread.data_class, "email");
    EXPECT_LT(unread.score, 0.8F);
}

TEST(Judge, FreeTextHoldsParts) {
    Judgement const notes =
        judge("note", Family::kText, {"call 212-555-0123 now please", "nothing", "mail a@b.com to ask"});
    EXPECT_EQ(notes.data_class, "free_text");
    EXPECT_EQ(notes.evidence, "2 of 3 sampled values hold: email, phone");
    EXPECT_EQ(judge("doc", Family::kJson, {"{\"m\": \"a@b.com\"}", "{\"m\": \"c@d.com\"}"}).data_class,
              "free_text");
}

TEST(Judge, LeavesOthersAlone) {
    EXPECT_EQ(judge("id", Family::kNumber, {"1", "2", "300000"}).data_class, "");
    EXPECT_EQ(judge("created", Family::kDate, {"2024-01-01"}).data_class, "");
    EXPECT_EQ(judge("status", Family::kText, {"open", "paid"}).data_class, "");
    EXPECT_EQ(judge("mac_address", Family::kText, {"aa-bb"}).data_class, "");
    EXPECT_EQ(judge("email_sent", Family::kOther, {"t"}).data_class, "");
    EXPECT_EQ(judge("email", Family::kOther, {}).data_class, "");
}

}  // namespace
