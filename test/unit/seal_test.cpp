// What is sealed opens with the private key alone, and with nothing altered.
#include "crypto/seal.hpp"

#include <gtest/gtest.h>

namespace {

using namespace hoopguard;
using namespace hoopguard::crypto;

TEST(Seal, OpensWithThePrivateKeyAlone) {
    auto const auditor = make_sealing_keys();
    auto const other = make_sealing_keys();
    ASSERT_TRUE(auditor && other);
    auto sealer = Sealer::make(auditor->public_key);
    ASSERT_TRUE(sealer);
    base::ByteView const bound = base::bytes_of("digest");
    for (std::string_view const text : {"SELECT 'jane@example.com'", "", "again"}) {
        auto const sealed = sealer->seal(base::bytes_of(text), bound);
        ASSERT_TRUE(sealed);
        EXPECT_EQ(sealed->size(), text.size() + kSealOverhead);
        auto const opened = open_sealed(auditor->private_pem, *sealed, bound);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ(base::text_of(opened->view()), text);
        EXPECT_FALSE(open_sealed(other->private_pem, *sealed, bound));
        EXPECT_FALSE(open_sealed(auditor->private_pem, *sealed, base::bytes_of("other")));
        EXPECT_FALSE(open_sealed("no key", *sealed, bound));
        for (std::size_t i = 0; i < sealed->size(); ++i) {
            base::Bytes altered = *sealed;
            altered[i] ^= 1;
            EXPECT_FALSE(open_sealed(auditor->private_pem, altered, bound)) << i;
            altered.resize(i);
            EXPECT_FALSE(open_sealed(auditor->private_pem, altered, bound)) << i;
        }
    }
}

TEST(Seal, NeverRepeats) {
    auto const auditor = make_sealing_keys();
    auto sealer = Sealer::make(auditor->public_key);
    ASSERT_TRUE(sealer);
    EXPECT_NE(*sealer->seal(base::bytes_of("same"), {}), *sealer->seal(base::bytes_of("same"), {}));
}

TEST(Seal, KeysHaveOneSpelling) {
    auto const auditor = make_sealing_keys();
    ASSERT_TRUE(auditor);
    std::string const text = to_text(auditor->public_key);
    auto const parsed = parse_sealing_key(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, auditor->public_key);
    for (std::string_view const wrong : {"", "hoopguard-reveal:", "hoopguard-reveal:AAAA", "x"})
        EXPECT_FALSE(parse_sealing_key(wrong)) << wrong;
    EXPECT_FALSE(parse_sealing_key(text + "A"));
}

}  // namespace
