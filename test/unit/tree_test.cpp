// The Merkle tree against published vectors and against its own definition.
#include "record/tree.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace hoopguard::record {
namespace {

// Just enough JSON for files whose shape is known.
struct Vector {
    std::string text;

    std::uint64_t number(const std::string& key) const {
        std::smatch match;
        EXPECT_TRUE(std::regex_search(text, match, std::regex("\"" + key + "\": ([0-9]+)"))) << key;
        return std::stoull(match[1]);
    }
    bool wants_error() const { return text.find("\"wantErr\": true") != std::string::npos; }
    bool lacks(const std::string& key) const { return text.find("\"" + key + "\": \"\"") != std::string::npos; }
    // A hash of a wrong length cannot be spoken of in types; made to fit, it stays a wrong hash.
    static Hash hash_of(const std::string& encoded) {
        const auto bytes = base::from_base64(encoded);
        EXPECT_TRUE(bytes) << encoded;
        Hash hash{};
        std::copy_n(bytes->begin(), std::min(bytes->size(), hash.size()), hash.begin());
        return hash;
    }
    Hash hash(const std::string& key) const {
        std::smatch match;
        EXPECT_TRUE(std::regex_search(text, match, std::regex("\"" + key + "\": \"([^\"]*)\""))) << key;
        return hash_of(match[1]);
    }
    std::vector<Hash> proof() const {
        std::vector<Hash> out;
        std::smatch match;
        if (!std::regex_search(text, match, std::regex("\"proof\": \\[([^\\]]*)\\]"))) return out;
        const std::string list = match[1];
        const std::regex element("\"([^\"]*)\"");
        for (std::sregex_iterator at(list.begin(), list.end(), element); at != std::sregex_iterator(); ++at)
            out.push_back(hash_of((*at)[1]));
        return out;
    }
};

std::vector<std::pair<std::string, Vector>> vectors(const std::string& kind) {
    std::vector<std::pair<std::string, Vector>> out;
    const std::string folder = std::string(TEST_DATA) + "/vectors/merkle/" + kind;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
        if (file.path().extension() != ".json") continue;
        std::stringstream text;
        text << std::ifstream(file.path()).rdbuf();
        out.emplace_back(file.path().string(), Vector{text.str()});
    }
    return out;
}

TEST(TreeVectors, Inclusion) {
    const auto all = vectors("inclusion");
    ASSERT_GT(all.size(), 90u);
    for (const auto& [name, vector] : all)
        EXPECT_EQ(!vector.lacks("leafHash") &&
                      verify_inclusion(vector.number("leafIdx"), vector.number("treeSize"),
                                       vector.hash("leafHash"), vector.proof(), vector.hash("root")),
                  !vector.wants_error())
            << name;
}

TEST(TreeVectors, Consistency) {
    const auto all = vectors("consistency");
    ASSERT_GT(all.size(), 90u);
    for (const auto& [name, vector] : all)
        EXPECT_EQ(verify_consistency(vector.number("size1"), vector.number("size2"), vector.proof(),
                                     vector.hash("root1"), vector.hash("root2")),
                  !vector.wants_error())
            << name;
}

// The definition, RFC 9162 section 2.1.1, with no cleverness.
Hash defined_root(std::span<const Hash> leaves) {
    if (leaves.empty()) return empty_root();
    if (leaves.size() == 1) return leaves[0];
    const std::size_t split = std::bit_floor(leaves.size() - 1);
    return node_hash(defined_root(leaves.first(split)), defined_root(leaves.subspan(split)));
}

class Leaves final : public HashSource {
 public:
    explicit Leaves(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            hashes.push_back(leaf_hash(base::bytes_of("entry " + std::to_string(i))));
    }
    base::Result<Hash> subtree(unsigned level, std::uint64_t index) override {
        const std::size_t width = std::size_t{1} << level;
        if ((index + 1) * width > hashes.size()) return base::fail("beyond the leaves");
        return defined_root(std::span<const Hash>(hashes).subspan(index * width, width));
    }
    std::span<const Hash> first(std::size_t count) const { return std::span<const Hash>(hashes).first(count); }

    std::vector<Hash> hashes;
};

TEST(Tree, EmptyRootIsTheStandards) {
    EXPECT_EQ(base::to_hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(base::to_hex(leaf_hash({})), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(Frontier, GrowsAsDefinedAndRestarts) {
    const Leaves leaves(70);
    Frontier frontier;
    for (std::size_t size = 0; size <= 70; ++size) {
        EXPECT_EQ(frontier.size(), size);
        EXPECT_EQ(frontier.root(), defined_root(leaves.first(size)));
        EXPECT_EQ(frontier.hashes().size(), static_cast<std::size_t>(std::popcount(size)));
        auto restarted = Frontier::from(size, frontier.hashes());
        ASSERT_TRUE(restarted);
        EXPECT_TRUE(*restarted == frontier);
        EXPECT_FALSE(Frontier::from(size + (size % 2 ? 1 : 2) * 64 + 64 * 64, frontier.hashes()));
        if (size < 70) frontier.append(leaves.hashes[size]);
    }
}

TEST(Frontier, GivesEveryCompleteTile) {
    const Leaves leaves(1024);
    Frontier frontier;
    Hash tile{};
    for (std::size_t i = 0; i < 1024; ++i) {
        const bool complete = frontier.append(leaves.hashes[i], tile);
        EXPECT_EQ(complete, i % 256 == 255) << i;
        if (complete) {
            EXPECT_EQ(tile, defined_root(std::span<const Hash>(leaves.hashes).subspan(i - 255, 256)));
        }
    }
}

TEST(Proofs, EveryPairUpToAHundredProvesItself) {
    Leaves leaves(100);
    for (std::size_t size = 1; size <= 100; ++size) {
        const Hash root = defined_root(leaves.first(size));
        ASSERT_EQ(*tree_root(leaves, size), root);
        for (std::size_t i = 0; i < size; ++i) {
            const auto inclusion = inclusion_proof(leaves, i, size);
            ASSERT_TRUE(inclusion);
            EXPECT_TRUE(verify_inclusion(i, size, leaves.hashes[i], *inclusion, root)) << i << " in " << size;
            EXPECT_FALSE(verify_inclusion(i, size, leaves.hashes[(i + 1) % 100], *inclusion, root));
            const auto consistency = consistency_proof(leaves, i + 1, size);
            ASSERT_TRUE(consistency);
            const Hash old_root = defined_root(leaves.first(i + 1));
            EXPECT_TRUE(verify_consistency(i + 1, size, *consistency, old_root, root)) << i + 1 << " to " << size;
            EXPECT_FALSE(verify_consistency(i + 1, size, *consistency, empty_root(), root));
        }
    }
}

TEST(Proofs, RefuseWhatIsOutside) {
    Leaves leaves(4);
    EXPECT_FALSE(inclusion_proof(leaves, 4, 4));
    EXPECT_FALSE(consistency_proof(leaves, 0, 4));
    EXPECT_FALSE(consistency_proof(leaves, 5, 4));
    EXPECT_FALSE(inclusion_proof(leaves, 0, 8)) << "the source's error is passed on";
}

}  // namespace
}  // namespace hoopguard::record
