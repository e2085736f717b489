// Signed notes and checkpoints: a published note verifies, ours round trip, and no flipped byte passes.
#include "record/checkpoint.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

crypto::SigningKey key(std::uint8_t seed = 1) {
    return std::move(*crypto::SigningKey::from_seed(base::Bytes(crypto::kSeedSize, seed)));
}

Checkpoint checkpoint() {
    Checkpoint out;
    out.origin = "hoopguard/7000000000000000001/00112233445566778899aabbccddeeff";
    out.size = 42;
    out.root.fill(0xC3);
    out.position = 12345;
    out.time = 1700000000'000000000;
    return out;
}

VerifierKey verifier(const crypto::SigningKey& signing) {
    return VerifierKey::of(checkpoint().origin, signing.public_key());
}

// The example of golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
TEST(Note, VerifiesAPublishedExample) {
    const auto known = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    ASSERT_TRUE(known) << known.error().message;
    const auto note = parse_note(
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "\xE2\x80\x94 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n");
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_TRUE(note->signed_by(*known));
}

TEST(Note, AVerifierKeyIsReadBackAndCheckedAgainstItsHash) {
    const VerifierKey good = verifier(key());
    const auto read = VerifierKey::parse(good.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, good);
    const std::string text = good.text();
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
    }
    for (const char* bad : {"", "a", "a+b", "+00000000+", "a b+00000000+AA==", "a+00000000+"})
        EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
}

TEST(Note, KeyLinesEachNeedTheirEnd) {
    const std::string lines = verifier(key(1)).text() + "\n" + verifier(key(2)).text() + "\n";
    const auto keys = parse_verifier_keys(lines);
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->size(), 2u);
    EXPECT_FALSE(parse_verifier_keys(lines.substr(0, lines.size() - 1)));
    EXPECT_FALSE(parse_verifier_keys(lines + "\n"));
}

TEST(Checkpoint, RoundTripsUnderItsSignature) {
    const auto signing = key();
    const auto text = sign_checkpoint(checkpoint(), signing);
    ASSERT_TRUE(text);
    const auto note = parse_note(*text);
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_TRUE(note->signed_by(verifier(signing)));
    EXPECT_FALSE(note->signed_by(verifier(key(2))));
    const auto read = parse_checkpoint(note->text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, checkpoint());
}

TEST(Checkpoint, NoFlippedBitIsStillSigned) {
    const auto signing = key();
    const std::string good = *sign_checkpoint(checkpoint(), signing);
    for (std::size_t i = 0; i < good.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            const auto note = parse_note(bad);
            EXPECT_FALSE(note && note->signed_by(verifier(signing))) << "byte " << i << " bit " << bit;
        }
}

TEST(Checkpoint, NoCutIsANote) {
    const std::string good = *sign_checkpoint(checkpoint(), key());
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_note(good.substr(0, size))) << size;
    EXPECT_FALSE(parse_note(good + "x"));
}

TEST(Checkpoint, TwoKeysMaySign) {
    const auto old_key = key(1);
    const auto new_key = key(2);
    const std::string text = checkpoint_text(checkpoint());
    const auto note = parse_note(*sign_note(text, checkpoint().origin, old_key) +
                                 *signature_line(text, checkpoint().origin, new_key));
    ASSERT_TRUE(note);
    EXPECT_TRUE(note->signed_by(verifier(old_key)));
    EXPECT_TRUE(note->signed_by(verifier(new_key)));
}

TEST(Checkpoint, NotesFollowOneAnother) {
    const std::string one = *sign_checkpoint(checkpoint(), key());
    Checkpoint later = checkpoint();
    later.size = 43;
    const std::string two = *sign_checkpoint(later, key());
    NoteSequence sequence = parse_notes(one + two);
    ASSERT_EQ(sequence.notes.size(), 2u);
    EXPECT_TRUE(sequence.fault.empty());
    EXPECT_EQ(sequence.notes[1].offset, one.size());
    for (std::size_t cut = 1; cut < two.size(); ++cut) {
        sequence = parse_notes(one + two.substr(0, cut));
        EXPECT_EQ(sequence.notes.size(), 1u);
        EXPECT_EQ(sequence.sound, one.size());
        EXPECT_FALSE(sequence.fault.empty()) << cut;
    }
}

TEST(Checkpoint, OnlyOneSpelling) {
    const std::string good = checkpoint_text(checkpoint());
    ASSERT_TRUE(parse_checkpoint(good));
    EXPECT_TRUE(parse_checkpoint(good + "later extension\n"));
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string bad = good;
        bad.replace(bad.find(from), from.size(), to);
        return parse_checkpoint(bad);
    };
    EXPECT_FALSE(with("\n42\n", "\n042\n"));
    EXPECT_FALSE(with("\n42\n", "\n-1\n"));
    EXPECT_FALSE(with("\n42\n", "\n\n"));
    EXPECT_FALSE(with("w8PD", "w8P"));
    EXPECT_FALSE(with("position ", "Position "));
    EXPECT_FALSE(with("position 12345", "position 012345"));
    EXPECT_FALSE(with("2023-11-14T", "2023-11-14 "));
    EXPECT_FALSE(with("20Z", "20+00:00"));
    EXPECT_FALSE(parse_checkpoint(""));
}

}  // namespace
}  // namespace hoopguard::record
