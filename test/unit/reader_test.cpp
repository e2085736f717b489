// Reading an origin: every entry found by every way, with the index sound, missing, short, foreign or lying,
// and on a segment that grows under the reader.
#include "record/scan.hpp"

#include "base/crc32c.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kAlice = (std::uint64_t{0x67750000} << 32) | 100;
constexpr std::uint64_t kBob = (std::uint64_t{0x67750001} << 32) | 101;

// Three segments, several runs each; every fifth statement is Bob's, and only in the second half.
SampleJournal journal() {
    SampleJournal out;
    for (std::uint64_t segment = 0; segment < 3; ++segment) {
        for (std::uint64_t i = 0; i < 300; ++i)
            out.statement(i >= 150 && i % 5 == 0 ? kBob : kAlice, 1 + i, std::string(300, 'x'));
        if (segment < 2) out.begin_next_segment();
    }
    return out;
}

std::unique_ptr<StreamReader> open(const SampleJournal& journal) {
    auto reader = StreamReader::open(journal.directory());
    EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
    return std::move(*reader);
}

struct Seen {
    std::vector<std::uint64_t> indexes;
    std::string error;
};

Seen scan(StreamReader& reader, const ScanFilter& filter) {
    Seen seen;
    Scan scan(reader, filter);
    Step step;
    while ((step = scan.next()) == Step::kEntry) seen.indexes.push_back(scan.found().index);
    if (step == Step::kFault) seen.error = scan.error().message;
    return seen;
}

// What a filter must find, by looking at every entry.
std::vector<std::uint64_t> wanted(const SampleJournal& journal,
                                  const std::function<bool(const EntryView&)>& wants) {
    std::vector<std::uint64_t> out;
    std::uint64_t index = 0;
    for (std::uint64_t segment = 0; segment < 3; ++segment) {
        const base::Bytes& bytes = const_cast<SampleJournal&>(journal).files().at(segment_name(segment));
        for (std::size_t at = kSegmentHeaderSize; at < bytes.size(); ++index) {
            const EntryView entry(bytes.data() + at);
            if (wants(entry)) out.push_back(index);
            at += entry.length();
        }
    }
    return out;
}

void expect_all_ways(const SampleJournal& journal) {
    const auto reader = open(journal);
    const auto all = scan(*reader, {});
    EXPECT_EQ(all.error, "");
    EXPECT_EQ(all.indexes.size(), journal.size());
    const auto bobs = wanted(journal, [](const EntryView& entry) { return entry.session() == kBob; });
    ASSERT_GT(bobs.size(), 100u);
    EXPECT_EQ(scan(*reader, {.session = kBob}).indexes, bobs);
    const std::uint64_t since = SampleJournal::kStart + 500'000'000;
    const std::uint64_t until = SampleJournal::kStart + 900'000'000;
    EXPECT_EQ(
        scan(*reader, {.since = since, .until = until}).indexes,
        wanted(journal, [&](const EntryView& entry) { return entry.time() >= since && entry.time() < until; }));
    for (std::uint64_t index = 0; index < journal.size(); index += 97) {
        const auto found = reader->at_index(index);
        ASSERT_TRUE(found) << found.error().message;
        ASSERT_TRUE(*found);
        EXPECT_EQ((*found)->index, index);
        const auto same = reader->at_position((*found)->entry.position());
        ASSERT_TRUE(same && *same);
        EXPECT_EQ((*same)->index, index);
    }
    EXPECT_FALSE(*reader->at_index(journal.size()));
    EXPECT_FALSE(*reader->at_position(journal.position()));
    EXPECT_FALSE(*reader->at_position(SampleJournal().position() + 1)) << "within an entry";
}

TEST(Reader, FindsEverythingByTheIndex) {
    expect_all_ways(journal());
}

TEST(Reader, FindsEverythingWithoutAnIndex) {
    SampleJournal sample = journal();
    sample.files().erase(index_name(0));
    sample.files().erase(index_name(1));
    sample.files().erase(index_name(2));
    expect_all_ways(sample);
}

TEST(Reader, FindsEverythingWithAnIndexCutAnywhere) {
    SampleJournal sample = journal();
    const base::Bytes whole = sample.files()[index_name(1)];
    for (std::size_t size = 0; size < whole.size(); size += 13) {
        sample.files()[index_name(1)].assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        expect_all_ways(sample);
    }
}

TEST(Reader, FindsEverythingWithAnotherSegmentsIndex) {
    SampleJournal sample = journal();
    std::swap(sample.files()[index_name(0)], sample.files()[index_name(2)]);
    expect_all_ways(sample);
}

// With checksums that hold: runs at wrong places, of wrong length, and more of them than there are entries.
TEST(Reader, FindsEverythingWithALyingIndex) {
    for (int lie = 0; lie < 4; ++lie) {
        SampleJournal sample = journal();
        base::Bytes& file = sample.files()[index_name(1)];
        const IndexContents contents = read_index(file, SampleJournal::kNonce);
        ASSERT_GT(contents.records.size(), 2u);
        base::Bytes record(contents.records[lie == 3 ? 1 : contents.records.size() - 1].bytes().begin(),
                           contents.records[lie == 3 ? 1 : contents.records.size() - 1].bytes().end());
        const std::size_t at = static_cast<std::size_t>(
            contents.records[lie == 3 ? 1 : contents.records.size() - 1].bytes().data() - file.data());
        if (lie == 0) base::put_u64(record.data() + kIndexOffsetAt, IndexRecord(record.data()).offset() + 8);
        if (lie == 1) base::put_u32(record.data() + kIndexEntriesAt, IndexRecord(record.data()).entries() + 5000);
        if (lie == 2) base::put_u32(record.data() + kIndexEntriesAt, IndexRecord(record.data()).entries() - 1);
        if (lie == 3) base::put_u64(record.data() + kIndexOffsetAt, IndexRecord(record.data()).offset() + 8);
        const std::uint32_t crc = base::crc32c_extend(base::crc32c_extend_number(0, SampleJournal::kNonce),
                                                      base::ByteView(record).subspan(kIndexOffsetAt));
        base::put_u32(record.data() + kIndexCrcAt, crc);
        std::copy(record.begin(), record.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
        ASSERT_TRUE(read_index(file, SampleJournal::kNonce).fault.empty());
        SCOPED_TRACE(lie);
        expect_all_ways(sample);
    }
}

TEST(Reader, SkipsRunsThatAFilterCannotWant) {
    SampleJournal sample = journal();
    // Damage in a run of Alice's alone is never met by whoever looks for Bob.
    sample.files()[segment_name(1)][kSegmentHeaderSize + 100] ^= 1;
    const auto reader = open(sample);
    EXPECT_EQ(scan(*reader, {.session = kBob}).error, "");
    const Seen all = scan(*reader, {});
    EXPECT_EQ(all.indexes.size(), 600u);
    EXPECT_EQ(
        all.error,
        "origin-101112131415161718191a1b1c1d1e1f/0000000000000001.seg, offset 4096, entry 600: checksum mismatch");
}

TEST(Reader, FollowsASegmentThatGrows) {
    SampleJournal sample;
    sample.statement(kAlice, 1, "SELECT 1");
    sample.allocate(1000);
    const auto reader = open(sample);
    Scan first(*reader, {});
    EXPECT_EQ(first.next(), Step::kEntry);
    EXPECT_EQ(first.next(), Step::kEntry);
    EXPECT_EQ(first.next(), Step::kEnd);
    base::Bytes& segment = sample.files()[segment_name(0)];
    segment.resize(segment.size() - 1000);
    sample.statement(kAlice, 2, "SELECT 2");
    sample.begin_next_segment();
    sample.statement(kAlice, 3, "SELECT 3");
    const auto later = open(sample);
    EXPECT_EQ(scan(*later, {.first_index = first.next_index()}).indexes, (std::vector<std::uint64_t>{2, 3, 4, 5}));
}

TEST(Cursor, SeesWhatTheWriterAddsAfterAnEnd) {
    SampleJournal sample;
    sample.statement(kAlice, 1, "SELECT 1");
    base::Bytes& segment = sample.files()[segment_name(0)];
    const std::size_t used = segment.size();
    segment.resize(used + 4096);
    MemorySource source(segment);
    SegmentCursor cursor(source, *decode_header(segment));
    EXPECT_EQ(cursor.next(), Step::kEntry);
    EXPECT_EQ(cursor.next(), Step::kEntry);
    EXPECT_EQ(cursor.next(), Step::kEnd);
    EXPECT_EQ(cursor.tail(), Step::kEntry) << "zeros follow";
    segment.resize(used);
    sample.statement(kAlice, 2, "SELECT 2");
    EXPECT_EQ(cursor.next(), Step::kEntry);
    EXPECT_EQ(cursor.entry().text(Field::kStatement), "SELECT 2");
    EXPECT_EQ(cursor.index(), 2u);
    EXPECT_EQ(cursor.next(), Step::kEntry);
    EXPECT_EQ(cursor.next(), Step::kEnd);
    EXPECT_EQ(cursor.tail(), Step::kEnd);
    segment.resize(segment.size() + 20, 0);
    segment.back() = 1;
    EXPECT_EQ(cursor.next(), Step::kEnd);
    EXPECT_EQ(cursor.tail(), Step::kFault);
    EXPECT_EQ(cursor.fault().offset, segment.size() - 1);
}

TEST(Cursor, ReadsEntriesOfAnySize) {
    SampleJournal sample;
    for (std::size_t size : {10u, 70'000u, 1'100'000u, 10u, 3'000'000u, 10u})
        sample.append(EntryType::kStatement, kAlice,
                      [&](EntryWriter& writer) { writer.add_text(Field::kStatement, std::string(size, 'y')); });
    const auto reader = open(sample);
    EXPECT_EQ(scan(*reader, {}).indexes.size(), 6u);
    EXPECT_EQ((*reader->at_index(4))->entry.text(Field::kStatement)->size(), 3'000'000u);
}

TEST(Reader, NamesWhatIsMissing) {
    SampleJournal sample = journal();
    sample.files().erase(segment_name(1));
    const auto gap = StreamReader::open(sample.directory());
    ASSERT_FALSE(gap);
    EXPECT_EQ(
        gap.error().message,
        "origin-101112131415161718191a1b1c1d1e1f/0000000000000001.seg is missing: segments before and after it "
        "are there");
}

// The last segment ends where nothing follows; damage there is not such an end.
TEST(Reader, DamageInTheLastSegmentIsNoEnd) {
    SampleJournal sample = journal();
    sample.files().erase(index_name(2));
    sample.files()[segment_name(2)].back() ^= 1;
    EXPECT_NE(scan(*open(sample), {}).error.find("entry 1799: checksum mismatch"), std::string::npos);
}

TEST(Reader, RefusesASegmentUnderAnotherName) {
    SampleJournal sample = journal();
    std::swap(sample.files()[segment_name(1)], sample.files()[segment_name(2)]);
    const auto reader = open(sample);
    const Seen seen = scan(*reader, {.first_index = 1200});
    EXPECT_TRUE(seen.indexes.empty());
    EXPECT_NE(seen.error.find(": the file was renamed"), std::string::npos) << seen.error;
}

TEST(Source, FilesOnDiskAreReadAndMissingOnesNamed) {
    auto directory = open_directory(TEST_DATA);
    ASSERT_TRUE(directory);
    const auto names = (*directory)->list();
    ASSERT_TRUE(names);
    EXPECT_NE(std::find(names->begin(), names->end(), "unit"), names->end());
    auto unit = (*directory)->enter("unit");
    ASSERT_TRUE(unit);
    EXPECT_EQ((*unit)->name(), "unit");
    const auto text = read_all(**unit, "reader_test.cpp", 1u << 20);
    ASSERT_TRUE(text);
    EXPECT_EQ(base::text_of(*text).substr(0, 2), "//");
    EXPECT_FALSE(read_all(**unit, "reader_test.cpp", 10));
    EXPECT_EQ((*read_all(**unit, "no such file", 10)).size(), 0u);
    EXPECT_FALSE((*directory)->open("unit")) << "a directory is not a file";
    EXPECT_EQ((*directory)->open("no such file").error().number, ENOENT);
    EXPECT_FALSE(open_directory(std::string(TEST_DATA) + "/unit/reader_test.cpp"));
}

}  // namespace
}  // namespace hoopguard::record
