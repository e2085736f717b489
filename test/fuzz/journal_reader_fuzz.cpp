// Feeds arbitrary bytes to everything that reads a journal: none may crash, hang or read beyond its input.
// The input is cut into the files of an origin; checksums are made good first, or nothing behind them is reached.
#include "base/crc32c.hpp"
#include "base/json.hpp"
#include "demand.hpp"
#include "record/entry_text.hpp"
#include "record/ocsf.hpp"
#include "record/proof.hpp"
#include "record/scan.hpp"
#include "record/verify.hpp"
#include "sample_journal.hpp"

namespace {

using namespace hoopguard;
using namespace hoopguard::record;

// Takes the next part of the input: a length of two bytes, then so many bytes.
base::Bytes take(base::ByteView& input) {
    if (input.size() < 2) return {};
    const std::size_t size = std::min<std::size_t>(base::get_u16(input.data()), input.size() - 2);
    const base::ByteView part = input.subspan(2, size);
    input = input.subspan(2 + size);
    return {part.begin(), part.end()};
}

// Makes the CRC of every entry good, as far as lengths lead, and sets what a reader checks early.
void mend_entries(base::Bytes& segment) {
    std::uint64_t position = base::get_u64(segment.data() + kSegmentFirstPositionAt);
    for (std::size_t at = kSegmentHeaderSize; at + kEntryHeaderSize < segment.size();) {
        std::uint8_t* const entry = segment.data() + at;
        const std::size_t length = base::get_u32(entry) / 8 * 8;
        if (length <= kEntryHeaderSize || length > segment.size() - at) break;
        base::put_u32(entry, static_cast<std::uint32_t>(length));
        const std::uint32_t partial = base::crc32c_extend(base::crc32c_extend_number(0, SampleJournal::kNonce),
                                                          {entry + kVersionAt, length - kVersionAt});
        seal_at(entry, partial, position);
        position = EntryView(entry).next_position();
        at += length;
    }
}

void mend_index(base::Bytes& index) {
    for (std::size_t at = 0; at + kIndexSessionsAt <= index.size();) {
        std::uint8_t* const record = index.data() + at;
        const std::size_t length = base::get_u32(record);
        if (length < kIndexSessionsAt || length > index.size() - at) break;
        const std::uint32_t crc = base::crc32c_extend(base::crc32c_extend_number(0, SampleJournal::kNonce),
                                                      {record + kIndexOffsetAt, length - kIndexOffsetAt});
        base::put_u32(record + kIndexCrcAt, crc);
        at += length;
    }
}

void read_all_of(const SampleJournal& journal) {
    auto reader = StreamReader::open(journal.directory());
    if (!reader) return;
    OcsfExport ocsf(**reader, "origin", [](const std::string& event) { demand(base::is_utf8(event)); });
    Scan scan(**reader, {});
    while (scan.next() == Step::kEntry) {
        const HeldEntry& found = scan.found();
        const std::string line = entry_line(found.entry, found.index);
        for (const char character : line)
            demand(static_cast<unsigned char>(character) >= 0x20 && character != 0x7F);
        demand(base::is_utf8(entry_json(found.entry, found.index, "origin")));
        ocsf.add(found.entry, found.index);
    }
    ocsf.finish();
    (void)(*reader)->at_position(4096);
    (void)prove_entry(**reader, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    base::ByteView input(data, size);
    if (input.empty()) return 0;
    const std::uint8_t choice = input.front();
    input = input.subspan(1);
    // Headers and keys are good; what follows them is the input's.
    SampleJournal journal;
    Files& files = journal.files();
    const base::Bytes entries = take(input);
    files[segment_name(0)].insert(files[segment_name(0)].end(), entries.begin(), entries.end());
    files[index_name(0)] = take(input);
    files[kTilesName] = take(input);
    files[kCheckpointsName] = take(input);
    if ((choice & 1) != 0) mend_entries(files[segment_name(0)]);
    if ((choice & 2) != 0) mend_index(files[index_name(0)]);
    if ((choice & 4) != 0) files[kPublicKeyName] = take(input);
    if ((choice & 8) != 0) files[segment_name(0)] = take(input);
    const auto report = verify_origin(*journal.directory(), {.keys = {journal.verifier()}});
    // Nobody can sign: whatever the input, no checkpoint of its own may count.
    demand(!report || !report->ok() || report->covered == 0);
    read_all_of(journal);
    const base::Bytes rest = take(input);
    (void)parse_proof(base::text_of(rest));
    (void)base::Json::parse(base::text_of(rest));
    return 0;
}
