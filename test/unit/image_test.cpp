// The policy image: what is written is read; whatever is damaged, cut or from the future is refused.
#include "policy/image.hpp"
#include "policy/compile.hpp"
#include "policy/image_writer.hpp"
#include "policy/statement_class.hpp"

#include "base/crc32c.hpp"

#include <gtest/gtest.h>

namespace hoopguard::policy {
namespace {

Tables sample() {
    Tables tables;
    tables.database = "postgres";
    Guardrail drop;
    drop.name = "no drops";
    drop.action = "block";
    drop.classes = {"ddl.drop", "database"};
    drop.roles = Words{"agent", "group:bots"};
    drop.except_roles = Words{"dba"};
    drop.objects = Words{"public.*"};
    drop.message = "Ask the owner.";
    Guardrail everyone;
    everyone.name = "all";
    everyone.action = "warn";
    everyone.classes = {"ddl.drop.table"};
    everyone.schedule = "Mon-Fri 09:00-18:00 Europe/Zurich";
    Guardrail off = everyone;
    off.name = "sleeping";
    off.mode = "off";
    off.classes = {"*"};
    tables.guardrails = {drop, off, everyone};
    tables.actors = {{std::nullopt, "agent", "agent", "alice", "reports", true, 42}, {"okta", "agent", "human"}};
    return tables;
}

base::Bytes sample_image(std::uint64_t generation = 7) {
    auto bytes = compile(sample(), generation, 99, 1234);
    EXPECT_TRUE(bytes.ok());
    return *bytes;
}

// Gives changed bytes a right checksum again, so that what lies behind it is tested.
void sign(base::Bytes& bytes) {
    base::put_u32(bytes.data() + kImageCrcAt, 0);
    base::put_u32(bytes.data() + kImageCrcAt, base::crc32c_extend(0, bytes));
}

std::string reason(base::ByteView bytes) {
    auto const image = Image::open(bytes);
    return image ? "opened" : image.error().message;
}

TEST(Image, GivesBackWhatWasCompiled) {
    auto const bytes = sample_image();
    auto const image = Image::open(bytes);
    ASSERT_TRUE(image.ok()) << image.error().message;
    EXPECT_EQ(image->generation(), 7u);
    EXPECT_EQ(image->system_identifier(), 99u);
    EXPECT_EQ(image->created_at(), 1234u);
    EXPECT_EQ(image->section(SectionId::kFacts)[0].text(PolicyFactField::kDatabase), "postgres");

    auto const rules = image->section(SectionId::kGuardrails);
    ASSERT_EQ(rules.size(), 3u);
    EXPECT_EQ(rules[0].text(GuardrailField::kName), "all");
    EXPECT_TRUE(rules[0].is_null(GuardrailField::kRoles));
    EXPECT_TRUE(rules[0].is_null(GuardrailField::kMessage));
    EXPECT_EQ(rules[0].text(GuardrailField::kSchedule), "Mon-Fri 09:00-18:00 Europe/Zurich");
    EXPECT_EQ(ClassSet(rules[0].word(GuardrailField::kReach)), ClassSet(StatementClass::kDdlDrop));
    EXPECT_TRUE(ClassSet(rules[0].word(GuardrailField::kPlain)).empty());
    EXPECT_EQ(rules[1].text(GuardrailField::kName), "no drops");
    EXPECT_EQ(rules[1].word(GuardrailField::kAction), static_cast<std::uint64_t>(Action::kBlock));
    std::vector<std::string_view> roles;
    for (auto const role : rules[1].texts(GuardrailField::kRoles)) roles.push_back(role);
    EXPECT_EQ(roles, (std::vector<std::string_view>{"agent", "group:bots"}));
    EXPECT_EQ(rules[1].word(GuardrailField::kMaxRows), kUnlimited);

    auto const actors = image->section(SectionId::kActors);
    ASSERT_EQ(actors.size(), 2u);
    EXPECT_TRUE(actors[0].is_null(ActorField::kProvider));
    EXPECT_EQ(actors[0].text(ActorField::kOwner), "alice");
    EXPECT_EQ(actors[0].word(ActorField::kExpiresAt), 42u);
    EXPECT_EQ(actors[1].text(ActorField::kProvider), "okta");
    EXPECT_EQ(actors[1].word(ActorField::kExpiresAt), kUnlimited);
}

TEST(Image, IndexNamesRolesInOrderAndLeavesOutRulesThatAreOff) {
    auto const bytes = sample_image();
    auto const image = Image::open(bytes);
    ASSERT_TRUE(image.ok());
    auto const index = image->section(SectionId::kRoleIndex);
    ASSERT_EQ(index.size(), 3u);
    EXPECT_TRUE(index[0].is_null(RoleIndexField::kRole));
    EXPECT_EQ(ClassSet(index[0].word(RoleIndexField::kReach)), ClassSet(StatementClass::kDdlDrop));
    ASSERT_EQ(index[0].count(RoleIndexField::kRules), 1u);
    EXPECT_EQ(index[0].number(RoleIndexField::kRules, 0), 0u);
    EXPECT_EQ(index[1].text(RoleIndexField::kRole), "agent");
    EXPECT_EQ(index[1].number(RoleIndexField::kRules, 0), 1u);
    EXPECT_EQ(index[2].text(RoleIndexField::kRole), "group:bots");
}

TEST(Image, EveryFlippedBitIsRefused) {
    auto bytes = sample_image();
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_FALSE(Image::open(bytes).ok()) << "byte " << at << " bit " << bit;
            bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
        }
}

TEST(Image, EveryTruncationIsRefused) {
    auto const bytes = sample_image();
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(Image::open(base::ByteView(bytes).first(length)).ok()) << length;
}

TEST(Image, SaysWhatIsWrong) {
    auto bytes = sample_image();
    base::put_u32(bytes.data() + kImageVersionAt, 2);
    sign(bytes);
    EXPECT_EQ(reason(bytes), "policy image has format version 2, from a later version of hoopguard");
    bytes = sample_image();
    bytes[0] = 'X';
    sign(bytes);
    EXPECT_EQ(reason(bytes), "policy image does not begin with HGPOLICY");
    EXPECT_EQ(reason({}), "policy image is shorter than its header");
    bytes = sample_image();
    bytes.back() ^= 1;
    EXPECT_EQ(reason(bytes), "policy image is damaged: its checksum does not match");
}

// With the checksum made right again, every slot set to every odd value either opens and can be walked, or is
// refused; the sanitizers watch.
TEST(Image, NoOffsetLeadsOutside) {
    auto const original = sample_image();
    std::size_t refused = 0;
    for (std::size_t at = kImageSectionsAt; at + 4 <= original.size(); at += 4)
        for (std::uint32_t const value : {0u, 1u, 0x7FFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFFFu, 0x10000000u}) {
            auto bytes = original;
            base::put_u32(bytes.data() + at, value);
            sign(bytes);
            auto const image = Image::open(bytes);
            if (!image) {
                ++refused;
                continue;
            }
            std::size_t length = 0;
            auto const rules = image->section(SectionId::kGuardrails);
            for (std::uint32_t i = 0; i < rules.size(); ++i) {
                length += rules[i].text(GuardrailField::kName).size();
                for (auto const role : rules[i].texts(GuardrailField::kRoles))
                    for (char const c : role) length += static_cast<unsigned char>(c);
            }
            EXPECT_LT(length, std::size_t{1} << 40);
        }
    EXPECT_GT(refused, 100u);
}

TEST(Image, EqualPolicyIsRecognised) {
    EXPECT_TRUE(same_policy(sample_image(1), sample_image(2)));
    auto tables = sample();
    tables.guardrails[0].mode = "observe";
    EXPECT_FALSE(same_policy(sample_image(1), *compile(tables, 1, 99, 1234)));
}

TEST(Compile, OneBadRowFailsTheWhole) {
    auto tables = sample();
    tables.guardrails[1].action = "stop";
    auto const bytes = compile(tables, 1, 99, 0);
    ASSERT_FALSE(bytes.ok());
    EXPECT_EQ(bytes.error().message,
              "guardrail \"sleeping\" is not valid: column \"action\" is \"stop\", allowed: warn, ask, block");
}

}  // namespace
}  // namespace hoopguard::policy
