// The worked example of doc/journal_format.md, and the same journal as files in test/data/journal, are what the
// program writes today. With HOOPGUARD_REGENERATE=1 in the environment they are written anew instead.
#include "record/names.hpp"
#include "record/verify.hpp"
#include "sample_journal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kSession = (SampleJournal::kStart / 1'000'000'000 << 32) | 100;

std::string document_path() {
    return std::string(TEST_DATA) + "/../doc/journal_format.md";
}
std::string data_path(const std::string& origin) {
    return std::string(TEST_DATA) + "/data/journal/" + origin;
}
bool regenerating() {
    return std::getenv("HOOPGUARD_REGENERATE") != nullptr;
}

std::string read_file(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

SampleJournal example() {
    SampleJournal journal;
    journal.append(EntryType::kOpen, 0, [](EntryWriter& writer) {
        writer.add_uint(Field::kWalPosition, 0x14F3A10);
        writer.add_uint(Field::kNextXid, 731);
        writer.add_text(Field::kServerVersion, "15.14");
        writer.add_text(Field::kLibraryVersion, "1.0");
    });
    const auto identity = [](EntryWriter& writer) {
        writer.add_text(Field::kLoginRole, "shop_agent");
        writer.add_text(Field::kDatabaseName, "shop");
        writer.add_text(Field::kActor, "shop_agent");
        writer.add_text(Field::kActorKind, "agent");
        writer.add_text(Field::kClientAddress, "10.0.0.7");
    };
    journal.append(EntryType::kLogin, kSession, identity);
    const std::uint64_t context = journal.position();
    journal.append(EntryType::kSession, kSession, identity);
    journal.append(EntryType::kStatement, kSession, [&](EntryWriter& writer) {
        writer.add_uint(Field::kStatementNo, 1);
        writer.add_uint(Field::kContext, context);
        writer.add_text(Field::kStatement, "SELECT email\nFROM customer WHERE id = $1 /* \x1B[2J */");
        writer.add_int(Field::kQueryId, -5231);
        CborWriter& parameters = writer.add_array(Field::kParameters, 1);
        parameters.array(2);
        parameters.unsigned_number(23);
        parameters.text("42");
        const std::string_view classes[] = {"read", "read.sensitive"};
        writer.add_texts(Field::kClasses, classes);
        writer.add_uint(Field::kTransactionNo, 1);
    });
    journal.append(EntryType::kOutcome, kSession, [](EntryWriter& writer) {
        writer.add_uint(Field::kStatementNo, 1);
        writer.add_uint(Field::kRows, 1);
        writer.add_uint(Field::kDuration, 412'000);
        writer.add_uint(Field::kTransactionOutcome, 1);
        const std::string_view masked[] = {"public.customer.email"};
        writer.add_texts(Field::kMasked, masked);
    });
    journal.append(EntryType::kLogout, kSession);
    journal.stop();
    return journal;
}

std::string dump(base::ByteView bytes, std::size_t start) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
        const base::ByteView row = bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at));
        if (std::all_of(row.begin(), row.end(), [](std::uint8_t byte) { return byte == 0; })) continue;
        out += "    " + base::to_hex(start + at, 8) + " ";
        for (std::size_t i = 0; i < 16; ++i) out += i < row.size() ? " " + base::to_hex(row[i], 2) : "   ";
        out += "  ";
        for (const std::uint8_t byte : row) out += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
        out += "\n";
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out += end == 0 ? "\n" : "    " + std::string(text.substr(0, end)) + "\n";
        text.remove_prefix(end + 1);
    }
    return out;
}

std::string example_text(SampleJournal& journal) {
    const base::Bytes& segment = journal.files()[segment_name(0)];
    std::string out = "Directory `" + journal.name() + "`, nonce 0x" + base::to_hex(SampleJournal::kNonce, 16) +
                      ".\n\n`" + segment_name(0) + "`, header:\n\n" +
                      dump(base::ByteView(segment).first(kSegmentHeaderSize), 0);
    Frontier frontier;
    for (std::size_t at = kSegmentHeaderSize; at < segment.size();) {
        const EntryView entry(segment.data() + at);
        const Hash leaf = leaf_hash(entry.bytes());
        out += "\nEntry " + std::to_string(frontier.size()) + ", `" + type_name(entry.type()) + "`, at position " +
               std::to_string(entry.position()) + ", " + std::to_string(entry.length()) + " bytes; CRC 0x" +
               base::to_hex(base::get_u32(entry.bytes().data() + kCrcAt), 8) + ", leaf hash\n`" +
               base::to_hex(leaf) + "`:\n\n" + dump(entry.bytes(), at);
        frontier.append(leaf);
        at += entry.length();
    }
    out += "\nThe root of the " + std::to_string(frontier.size()) + " entries is\n`" +
           base::to_hex(frontier.root()) + "`, its frontier:\n\n";
    for (const Hash& hash : frontier.hashes()) out += "    " + base::to_hex(hash) + "\n";
    out += "\n`checkpoints`:\n\n" + indented(base::text_of(journal.files()[kCheckpointsName])) +
           "\n`key.pub`:\n\n" + indented(base::text_of(journal.files()[kPublicKeyName])) + "\n`" + index_name(0) +
           "`:\n\n" + dump(journal.files()[index_name(0)], 0);
    return out;
}

TEST(FormatDocument, ItsExampleIsWhatTheProgramWrites) {
    constexpr std::string_view kBegin = "<!-- example -->\n";
    constexpr std::string_view kEnd = "<!-- end of example -->\n";
    std::string document = read_file(document_path());
    const std::size_t begin = document.find(kBegin);
    const std::size_t end = document.find(kEnd);
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    SampleJournal journal = example();
    const std::string wanted = "\n" + example_text(journal) + "\n";
    const std::size_t start = begin + kBegin.size();
    if (regenerating()) {
        document.replace(start, end - start, wanted);
        std::ofstream(document_path(), std::ios::binary) << document;
        return;
    }
    EXPECT_EQ(document.substr(start, end - start), wanted);
}

TEST(FormatDocument, TheFilesAreWhatTheProgramWrites) {
    SampleJournal journal = example();
    const std::string folder = data_path(journal.name());
    if (regenerating()) std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : journal.files()) {
        if (regenerating())
            std::ofstream(folder + "/" + name, std::ios::binary) << base::text_of(bytes);
        else
            EXPECT_EQ(read_file(folder + "/" + name), base::text_of(bytes)) << name;
    }
}

TEST(FormatDocument, TheExampleVerifies) {
    const SampleJournal journal = example();
    const auto report = verify_origin(*journal.directory(), {.keys = {journal.verifier()}});
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->ok()) << report->problems.front().text();
    EXPECT_TRUE(report->stopped);
}

// Every number of format.hpp stands in the document's tables under its name.
TEST(FormatDocument, NamesEveryTypeAndField) {
    const std::string document = read_file(document_path());
    const auto expect_row = [&](std::uint64_t number, const std::string& name) {
        EXPECT_NE(document.find("\n| " + std::to_string(number) + " | `" + name + "` |"), std::string::npos)
            << number << " " << name;
    };
    for (std::uint64_t number = 0; number < 256; ++number) {
        const std::string type = type_name(static_cast<EntryType>(number));
        if (type.find("type_") != 0) expect_row(number, type);
        const std::string field = field_name(number);
        if (field.find("field_") != 0) expect_row(number, field);
    }
    for (int bit = 0; bit < 16; ++bit) {
        auto flag = static_cast<std::uint16_t>(1u << bit);
        const std::string name = take_flag_name(flag);
        if (name.find("flag_") != 0) expect_row(static_cast<std::uint64_t>(bit), name);
    }
}

}  // namespace
}  // namespace hoopguard::record
