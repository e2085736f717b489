// SHA-256 against FIPS 180-4's examples.
#include "crypto/digest.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace hoopguard::crypto {
namespace {

TEST(Sha256, MatchesTheStandard) {
    EXPECT_EQ(base::to_hex(sha256(base::bytes_of("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(base::to_hex(sha256(base::bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, TakesItsInputInPieces) {
    EXPECT_EQ(Sha256().update(base::bytes_of("a")).update({}).update(base::bytes_of("bc")).finish(),
              sha256(base::bytes_of("abc")));
    EXPECT_EQ(sha256('a', base::bytes_of("b"), base::bytes_of("c")), sha256(base::bytes_of("abc")));
}

}  // namespace
}  // namespace hoopguard::crypto
