// The directory of images and marks, on real files.
#include "policy/store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace hoopguard::policy {
namespace {

class StoreTest : public testing::Test {
 protected:
    StoreTest() : root_(std::filesystem::temp_directory_path() / ("hoopguard-store-" + std::to_string(getpid()))) {
        std::filesystem::remove_all(root_);
        std::filesystem::create_directory(root_);
    }
    ~StoreTest() override { std::filesystem::remove_all(root_); }
    Store store() const { return Store((root_ / "journal" / "policy").string()); }
    std::filesystem::path root_;
};

TEST_F(StoreTest, MakesItsDirectoriesForTheOwnerAlone) {
    ASSERT_TRUE(store().prepare().ok());
    ASSERT_TRUE(store().prepare().ok());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(root_ / "journal" / "policy").permissions() & perms::all, perms::owner_all);
}

TEST_F(StoreTest, KeepsImagesAndRemovesOldOnes) {
    auto const directory = store();
    ASSERT_TRUE(directory.prepare().ok());
    std::uint8_t const bytes[] = {1, 2, 3};
    for (std::uint64_t generation : {3, 1, 0x10}) ASSERT_TRUE(directory.write_image(generation, bytes).ok());
    EXPECT_EQ(*directory.generations(), (std::vector<std::uint64_t>{1, 3, 0x10}));
    auto const mapped = MappedFile::open(directory.image_path(3));
    ASSERT_TRUE(mapped.ok());
    EXPECT_TRUE(std::ranges::equal(mapped->bytes(), bytes));
    directory.remove_before(0x10, 1);
    EXPECT_EQ(*directory.generations(), (std::vector<std::uint64_t>{3, 0x10}));
    EXPECT_EQ(mapped->bytes()[2], 3);
}

TEST_F(StoreTest, NamesOfOtherFilesAreNoImages) {
    auto const directory = store();
    ASSERT_TRUE(directory.prepare().ok());
    for (auto const* name : {"1.image", "000000000000000g.image", "0000000000000001.image.tmp"})
        std::ofstream(root_ / "journal" / "policy" / name) << "x";
    EXPECT_TRUE(directory.generations()->empty());
}

TEST_F(StoreTest, MarksComeAndGo) {
    auto const directory = store();
    ASSERT_TRUE(directory.prepare().ok());
    ASSERT_TRUE(directory.mark(700).ok());
    ASSERT_TRUE(directory.mark(701).ok());
    EXPECT_EQ(*directory.marks(), (std::vector<std::uint64_t>{700, 701}));
    ASSERT_TRUE(directory.unmark(700).ok());
    ASSERT_TRUE(directory.unmark(700).ok());
    EXPECT_EQ(*directory.marks(), (std::vector<std::uint64_t>{701}));
}

TEST_F(StoreTest, FailuresNameTheFileAndTheReason) {
    auto const missing = MappedFile::open((root_ / "none").string());
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().number, ENOENT);
    EXPECT_NE(missing.error().message.find("none\": No such file"), std::string::npos) << missing.error().message;
    EXPECT_FALSE(store().generations().ok());
    EXPECT_FALSE(store().mark(1).ok());
}

}  // namespace
}  // namespace hoopguard::policy
