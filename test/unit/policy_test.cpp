// Words of policy: classes, globs, schedules, and what columns may hold.
#include "policy/glob.hpp"
#include "policy/schedule.hpp"
#include "policy/statement_class.hpp"
#include "policy/tables.hpp"

#include <gtest/gtest.h>

namespace hoopguard::policy {
namespace {

TEST(ClassTerm, CoversWhatLiesBelow) {
    EXPECT_EQ(parse_class_term("*")->classes, kEveryClass - StatementClass::kLogin);
    EXPECT_EQ(names_of(parse_class_term("ddl")->classes),
              (std::vector<std::string_view>{"ddl.create", "ddl.alter", "ddl.drop", "ddl.blocking"}));
    EXPECT_EQ(names_of(parse_class_term("read")->classes),
              (std::vector<std::string_view>{"read", "read.sensitive"}));
    EXPECT_EQ(names_of(parse_class_term("write.unbounded")->classes),
              (std::vector<std::string_view>{"write.unbounded"}));
    auto const narrow = parse_class_term("ddl.drop.table");
    ASSERT_TRUE(narrow);
    EXPECT_EQ(narrow->classes, ClassSet(StatementClass::kDdlDrop));
    EXPECT_EQ(narrow->kind, "table");
}

TEST(ClassTerm, UnknownWordsAreNone) {
    for (auto const word :
         {"", "dd", "ddl.", "ddl.drop.", "ddl.drop.tables", "DDL", "write.insert.table", "read.", "**"})
        EXPECT_FALSE(parse_class_term(word)) << word;
}

TEST(Glob, Matches) {
    EXPECT_TRUE(glob_matches("public.*", "public.orders"));
    EXPECT_TRUE(glob_matches("*", ""));
    EXPECT_TRUE(glob_matches("*.orders_*_x", "a.orders_1_x_2_x"));
    EXPECT_TRUE(glob_matches("p?blic.*",
                             "p\xC3\xBC"
                             "blic.t"));
    EXPECT_TRUE(glob_matches("a\\*b", "a*b"));
    EXPECT_TRUE(glob_matches("", ""));
    EXPECT_TRUE(glob_matches("***a***", "a"));
    EXPECT_FALSE(glob_matches("public.*", "publicorders"));
    EXPECT_FALSE(glob_matches("a\\*b", "axb"));
    EXPECT_FALSE(glob_matches("public.orders", "public.orders2"));
    EXPECT_FALSE(glob_matches("", "a"));
    EXPECT_FALSE(glob_matches("?", ""));
    // Exponential in naive matchers.
    EXPECT_FALSE(glob_matches(std::string(40, '*') + "*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

WallClock at(int weekday, int hour, int minute = 0) {
    return {weekday, hour * 60 + minute};
}

TEST(Schedule, DaysAndTimes) {
    auto const office = Schedule::parse("Mon-Fri 09:00-18:00 Europe/Zurich");
    ASSERT_TRUE(office.ok());
    EXPECT_EQ(office->zone(), "Europe/Zurich");
    EXPECT_TRUE(office->in_force(at(0, 9)));
    EXPECT_TRUE(office->in_force(at(4, 17, 59)));
    EXPECT_FALSE(office->in_force(at(4, 18)));
    EXPECT_FALSE(office->in_force(at(0, 8, 59)));
    EXPECT_FALSE(office->in_force(at(5, 12)));
}

TEST(Schedule, OverMidnightBelongsToTheDayItBegins) {
    auto const night = Schedule::parse("Fri 22:00-06:00");
    ASSERT_TRUE(night.ok());
    EXPECT_EQ(night->zone(), "UTC");
    EXPECT_TRUE(night->in_force(at(4, 23, 59)));
    EXPECT_TRUE(night->in_force(at(5, 0)));
    EXPECT_TRUE(night->in_force(at(5, 5, 59)));
    EXPECT_FALSE(night->in_force(at(5, 6)));
    EXPECT_FALSE(night->in_force(at(4, 3)));
    EXPECT_FALSE(night->in_force(at(5, 23)));
    // Sunday's window ends on Monday.
    EXPECT_TRUE(Schedule::parse("Sun 22:00-06:00")->in_force(at(0, 1)));
}

TEST(Schedule, ListsAndWholeDays) {
    EXPECT_TRUE(Schedule::parse("Sat,Sun")->in_force(at(6, 0)));
    EXPECT_FALSE(Schedule::parse("Sat,Sun UTC")->in_force(at(0, 0)));
    EXPECT_TRUE(Schedule::parse("fri-mon")->in_force(at(0, 12)));
    EXPECT_TRUE(Schedule::parse("08:00-12:00,13:00-24:00")->in_force(at(2, 23, 59)));
    EXPECT_FALSE(Schedule::parse("08:00-12:00,13:00-24:00")->in_force(at(2, 12, 30)));
    EXPECT_TRUE(Schedule::parse("00:00-00:00")->in_force(at(2, 12, 30)));
}

TEST(Schedule, HoursWithoutALeadingZero) {
    auto const day = Schedule::parse("Mon 9:05-17:00");
    ASSERT_TRUE(day.ok());
    EXPECT_FALSE(day->in_force(at(0, 9, 4)));
    EXPECT_TRUE(day->in_force(at(0, 9, 5)));
    EXPECT_FALSE(day->in_force(at(0, 17)));
    EXPECT_TRUE(Schedule::parse("0:00-1:00")->in_force(at(3, 0, 30)));
}

TEST(Schedule, RefusesTheRest) {
    for (auto const text : {"", " ", "Monday 09:00-10:00", "Mon- 09:00-10:00", "Mon, 09:00-10:00", "09:00",
                            ":00-10:00", "009:00-10:00", "9:0-10:00", "9.00-10:00", "09:60-10:00", "24:00-01:00",
                            "09:00-25:00", "Mon 09:00-10:00 UTC more", "Europe/Zurich", "Mon-Xyz", "09:00-10:00,"})
        EXPECT_FALSE(Schedule::parse(text).ok()) << text;
}

TEST(Tables, ObjectionsNameColumnValueAndWhatIsAllowed) {
    Guardrail row;
    row.name = "x";
    row.action = "block";
    row.classes = {"ddl"};
    EXPECT_FALSE(object_to(row));
    auto const objection = [&](auto change) {
        auto changed = row;
        change(changed);
        auto const found = object_to(changed);
        return found ? found->column + "=" + found->value : "none";
    };
    EXPECT_EQ(objection([](auto& r) { r.action = "deny"; }), "action=deny");
    EXPECT_EQ(objection([](auto& r) { r.classes = {"ddl", "delete"}; }), "classes=delete");
    EXPECT_EQ(objection([](auto& r) { r.classes = {}; }), "classes={}");
    EXPECT_EQ(objection([](auto& r) { r.name = ""; }), "name=");
    EXPECT_EQ(objection([](auto& r) { r.mode = "on"; }), "mode=on");
    EXPECT_EQ(objection([](auto& r) { r.roles = Words{}; }), "roles={}");
    EXPECT_EQ(objection([](auto& r) { r.schedule = "always"; }), "schedule=always");
    EXPECT_EQ(objection([](auto& r) { r.max_cost = -1; }), "max_cost=-1.000000");
    EXPECT_EQ(objection([](auto& r) { r.min_approvals = 0; }), "min_approvals=0");
    EXPECT_EQ(objection([](auto& r) { r.wait = -5; }), "wait=-5 us");
    EXPECT_EQ(objection([](auto& r) { r.max_rows = -5; }), "max_rows=-5");
    EXPECT_EQ(objection([](auto& r) { r.classes = {"ddl"}, r.max_rows = 5; }), "max_rows=5");
    EXPECT_EQ(objection([](auto& r) { r.classes = {"*"}, r.max_rows = 5; }), "none");
    EXPECT_EQ(objection([](auto& r) { r.per = 5; }), "per=5 us");
    EXPECT_EQ(objection([](auto& r) { r.max_duration = 0; }), "max_duration=0 us");
    ActorRow actor;
    actor.name = "bot";
    EXPECT_FALSE(object_to(actor));
    actor.kind = "robot";
    EXPECT_EQ(object_to(actor)->column, "kind");
}

}  // namespace
}  // namespace hoopguard::policy
