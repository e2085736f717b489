// Locked actors: by name, by owner, until when.
#include "identify/lock.hpp"
#include "policy/compile.hpp"
#include "policy/image.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace hoopguard::identify {
namespace {

class LockTest : public testing::Test {
 protected:
    void policy(std::vector<policy::LockRow> locks, std::vector<policy::ActorRow> actors = {}) {
        policy::Tables tables;
        tables.database = "postgres";
        tables.locks = std::move(locks);
        tables.actors = std::move(actors);
        auto bytes = policy::compile(tables, 1, 1, 1);
        ASSERT_TRUE(bytes.ok());
        bytes_ = std::move(*bytes);
        auto image = policy::Image::open(bytes_);
        ASSERT_TRUE(image.ok());
        image_ = std::make_unique<policy::Image>(*image);
    }
    bool locked(std::string_view name, std::string_view provider = "", std::uint64_t now = 100) const {
        return find_lock(*image_, provider, name, now).has_value();
    }
    base::Bytes bytes_;
    std::unique_ptr<policy::Image> image_;
};

policy::ActorRow agent(const char* name, const char* owner, std::optional<std::string> provider = {}) {
    policy::ActorRow row;
    row.provider = std::move(provider);
    row.name = name;
    row.kind = "agent";
    row.owner = owner;
    return row;
}

TEST_F(LockTest, NobodyIsLockedByAnEmptyPolicy) {
    policy({}, {agent("bot", "alice")});
    EXPECT_FALSE(locked("alice"));
    EXPECT_FALSE(locked("bot"));
}

TEST_F(LockTest, HoldsForTheNameWhateverItsProvider) {
    policy({{"alice", "lost laptop"}});
    EXPECT_TRUE(locked("alice"));
    EXPECT_TRUE(locked("alice", "okta"));
    EXPECT_FALSE(locked("alic"));
    EXPECT_EQ(find_lock(*image_, "", "alice", 1)->reason, "lost laptop");
}

TEST_F(LockTest, EndsByItself) {
    policy({{"alice", "lost laptop", 100}});
    EXPECT_TRUE(locked("alice", "", 99));
    EXPECT_FALSE(locked("alice", "", 100));
}

TEST_F(LockTest, CoversAgentsOfTheOwnerAndTheirs) {
    policy({{"alice", "lost laptop"}},
           {agent("bot", "alice"), agent("helper", "bot"), agent("bot", "bob", "okta"), agent("free", "bob")});
    EXPECT_TRUE(locked("bot"));
    EXPECT_TRUE(locked("helper"));
    EXPECT_FALSE(locked("bot", "okta"));
    EXPECT_FALSE(locked("free"));
}

TEST_F(LockTest, LeavesAgentsAloneWhenToldTo) {
    policy({{"alice", "holiday", std::nullopt, false}}, {agent("bot", "alice")});
    EXPECT_TRUE(locked("alice"));
    EXPECT_FALSE(locked("bot"));
}

TEST_F(LockTest, OwnersInACircleEnd) {
    policy({{"carol", "gone"}}, {agent("a", "b"), agent("b", "a")});
    EXPECT_FALSE(locked("a"));
}

}  // namespace
}  // namespace hoopguard::identify
