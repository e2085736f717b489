// Comments as sqlcommenter writes them, and what only looks like one.
#include "record/trace.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using hoopguard::record::may_hold_trace;
using hoopguard::record::read_trace;
using hoopguard::record::Trace;

class TraceTest : public testing::Test {
 protected:
    Trace read(std::string_view text) { return read_trace(text, buffer, sizeof buffer); }
    char buffer[512];
};

TEST_F(TraceTest, TheSpecificationsExample) {
    auto const text =
        "SELECT * FROM FOO /*action='%2Fparam*d',controller='index,',framework='spring',"
        "traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01',"
        "tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/";
    EXPECT_TRUE(may_hold_trace(text));
    EXPECT_EQ(read(text).traceparent, "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01");
}

TEST_F(TraceTest, AtTheStartToo) {
    EXPECT_EQ(read("/*traceparent='00-ab-cd-01'*/ SELECT 1").traceparent, "00-ab-cd-01");
}

TEST_F(TraceTest, TheReasonIsDecoded) {
    auto const trace = read("SELECT 1 /*reason='ticket%20%2342 isn\\'t',traceparent='x'*/");
    EXPECT_EQ(trace.reason, "ticket #42 isn't");
    EXPECT_EQ(trace.traceparent, "x");
}

TEST_F(TraceTest, OtherCommentsSayNothing) {
    EXPECT_FALSE(may_hold_trace("SELECT 1"));
    for (const char* text : {"SELECT 1 /* plain */", "SELECT 1 /**/", "SELECT 1 /*traceparent=x*/", "*/", "/*",
                             "/*/", "SELECT 1 /*traceparent='x*/", "SELECT 1 /*='x'*/", "/*a='\\*/"})
        EXPECT_EQ(read(text).traceparent, "") << text;
}

TEST_F(TraceTest, WhatDoesNotFitIsLeftOut) {
    std::string const text = "SELECT 1 /*traceparent='" + std::string(600, 'x') + "',reason='r'*/";
    EXPECT_EQ(read(text).traceparent, "");
    EXPECT_EQ(read(text).reason, "r");
}

TEST_F(TraceTest, BrokenPercentSignsStay) {
    EXPECT_EQ(read("SELECT 1 /*reason='100%, %zz %4'*/").reason, "100%, %zz %4");
}

}  // namespace
