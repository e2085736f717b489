// Appending checkpoints to a disk that fails.
#include "record/checkpoint_file.hpp"

#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace hoopguard::record {
namespace {

class CheckpointFileTest : public JournalTest {
 protected:
    void SetUp() override {
        JournalTest::SetUp();
        ASSERT_TRUE(file_.open(home_).ok());
    }

    std::string content() const {
        std::ostringstream all;
        all << std::ifstream(home_ + "/" + std::string(kCheckpointsName)).rdbuf();
        return all.str();
    }

    FaultyFiles files_;
    CheckpointFile file_{files_};
};

TEST_F(CheckpointFileTest, what_a_failed_write_left_is_cut_off_before_the_next) {
    ASSERT_TRUE(file_.append("first\n").ok());
    files_.fail_at = files_.calls + 1;
    files_.error = ENOSPC;
    files_.keep_failing = true;  // so that what was written of it cannot be cut off either
    EXPECT_FALSE(file_.append(std::string(400, 'x')).ok());
    EXPECT_EQ(content(), "first\n" + std::string(200, 'x'));
    EXPECT_FALSE(file_.append("second\n").ok());
    files_.fail_at = 0;
    EXPECT_TRUE(file_.append("third\n").ok());
    EXPECT_EQ(content(), "first\nthird\n");
}

TEST_F(CheckpointFileTest, a_failed_write_is_cut_off_at_once_where_it_can_be) {
    ASSERT_TRUE(file_.append("first\n").ok());
    files_.fail_at = files_.calls + 1;
    EXPECT_FALSE(file_.append(std::string(400, 'x')).ok());
    EXPECT_EQ(content(), "first\n");
}

}  // namespace
}  // namespace hoopguard::record
