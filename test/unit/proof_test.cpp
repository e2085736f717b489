// Inclusion proofs stand alone: made from a journal, they hold without it and under no other key, entry or place.
#include "record/proof.hpp"

#include "base/json.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAlice = (std::uint64_t{0x67750000} << 32) | 100;

SampleJournal journal() {
    SampleJournal out;
    for (int segment = 0; segment < 3; ++segment) {
        if (segment > 0) out.begin_next_segment();
        for (std::uint64_t i = 0; i < 301; ++i) out.append(EntryType::kStatement, kAlice);
    }
    out.checkpoint();
    return out;
}

std::unique_ptr<StreamReader> open(const SampleJournal& journal) {
    return std::move(*StreamReader::open(journal.directory()));
}

void expect_all_proven(const SampleJournal& journal, std::uint64_t first) {
    const auto reader = open(journal);
    for (std::uint64_t index = first; index < journal.size(); index += 41) {
        const auto proof = prove_entry(*reader, index);
        ASSERT_TRUE(proof) << proof.error().message;
        const auto read = parse_proof(to_json(*proof));
        ASSERT_TRUE(read) << read.error().message;
        const auto checked = check_proof(*read, {journal.verifier()});
        EXPECT_TRUE(checked) << checked.error().message;
    }
}

TEST(Proof, EveryEntryIsProven) {
    expect_all_proven(journal(), 0);
}

TEST(Proof, WithoutTilesOrWithWrongOnes) {
    SampleJournal sample = journal();
    sample.files()[kTilesName][5] ^= 1;
    expect_all_proven(sample, 0);
    sample.files().erase(kTilesName);
    expect_all_proven(sample, 0);
}

TEST(Proof, AfterRetentionTheRestIsStillProven) {
    SampleJournal sample = journal();
    sample.retain_from(1);
    expect_all_proven(sample, 301);
    sample.files().erase(kTilesName);
    expect_all_proven(sample, 301);
    EXPECT_FALSE(prove_entry(*open(sample), 300));
}

TEST(Proof, HoldsForNothingElse) {
    const SampleJournal sample = journal();
    const InclusionProof good = *prove_entry(*open(sample), 500);
    const std::vector<VerifierKey> keys = {sample.verifier()};
    InclusionProof bad = good;
    bad.entry[70] ^= 1;
    EXPECT_FALSE(check_proof(bad, keys));
    bad = good;
    ++bad.index;
    EXPECT_FALSE(check_proof(bad, keys));
    bad = good;
    bad.path.pop_back();
    EXPECT_FALSE(check_proof(bad, keys));
    bad = good;
    bad.path[3][0] ^= 1;
    EXPECT_FALSE(check_proof(bad, keys));
    bad = good;
    bad.origin += "0";
    EXPECT_FALSE(check_proof(bad, keys));
    bad = good;
    bad.checkpoint.replace(bad.checkpoint.find("position"), 9, "position1");
    EXPECT_FALSE(check_proof(bad, keys));
    EXPECT_FALSE(check_proof(good, {VerifierKey::of(good.origin, SampleJournal::key_of(2).public_key())}));
    EXPECT_FALSE(check_proof(good, {}));
}

TEST(Proof, SaysWhyThereIsNone) {
    SampleJournal sample = journal();
    const std::uint64_t covered = sample.size();
    sample.append(EntryType::kStatement, kAlice);
    auto proof = prove_entry(*open(sample), covered);
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().message,
              "entry 903 is not yet covered by a checkpoint: the newest covers 903 entries");
    sample.files().erase(kCheckpointsName);
    proof = prove_entry(*open(sample), 1);
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().message, "the journal has no checkpoint yet");
    proof = prove_entry(*open(sample), 5000);
    ASSERT_FALSE(proof);
    EXPECT_EQ(proof.error().message, "there is no entry 5000 in origin-101112131415161718191a1b1c1d1e1f");
}

TEST(Proof, AnAlteredJournalProvesNothing) {
    SampleJournal sample = journal();
    SampleJournal other = journal();
    sample.append(EntryType::kAlert, kAlice);
    other.append(EntryType::kFailure, kAlice);
    other.checkpoint();
    sample.files()[kCheckpointsName] = other.files()[kCheckpointsName];
    const auto proof = prove_entry(*open(sample), 903);
    ASSERT_FALSE(proof);
    EXPECT_NE(proof.error().message.find("the journal has been altered"), std::string::npos);
}

TEST(Proof, RefusesWhatIsNoProof) {
    for (const char* bad :
         {"", "{}", "[]", "{\"format\": \"hoopguard-inclusion-proof/2\"}",
          "{\"format\": \"hoopguard-inclusion-proof/1\"}",
          "{\"format\": \"hoopguard-inclusion-proof/1\", \"origin\": \"o\", \"entry\": 1, \"leaf\": "
          "\"!\", \"proof\": [], \"checkpoint\": \"\"}"})
        EXPECT_FALSE(parse_proof(bad)) << bad;
}

TEST(Json, ReadsWhatTheStandardAllows) {
    const auto json = base::Json::parse(
        " { \"a\" : [ 1 , true , null , \"\\u00e9\\ud83d\\ude00\\n\\\"\" ] , \"b\" : { } , \"c\" : false } ");
    ASSERT_TRUE(json) << json.error().message;
    const auto& array = *json->member("a")->array();
    EXPECT_EQ(*array[0].number(), 1u);
    EXPECT_TRUE(*array[1].boolean());
    EXPECT_EQ(*array[3].text(), "\xC3\xA9\xF0\x9F\x98\x80\n\"");
    EXPECT_TRUE(json->member("b")->object()->empty());
    EXPECT_EQ(json->member("d"), nullptr);
    EXPECT_EQ(array[0].member("a"), nullptr);
}

TEST(Json, RefusesTheRest) {
    for (const char* bad : {"",
                            " ",
                            "{",
                            "[",
                            "[1",
                            "[1,]",
                            "{\"a\"}",
                            "{\"a\":1,}",
                            "{\"a\":1,\"a\":2}",
                            "\"",
                            "\"\\x\"",
                            "\"\\ud83d\"",
                            "\"\\ude00\"",
                            "\"\\u12\"",
                            "\"\n\"",
                            "01",
                            "-",
                            "1.",
                            "tru",
                            "1 2",
                            "\"\xFF\"",
                            "{1:2}"})
        EXPECT_FALSE(base::Json::parse(bad)) << bad;
    EXPECT_FALSE(base::Json::parse(std::string(100000, '[')));
}

}  // namespace
}  // namespace hoopguard::record
