// hoopguard-journal prove: makes and judges inclusion proofs.
#include "base/text.hpp"
#include "record/entry_text.hpp"
#include "record/proof.hpp"
#include "tools/hoopguard_journal.hpp"

#include <cstdio>

namespace hoopguard::tools {
namespace {

int check(const Arguments& arguments, const std::string& path) {
    const auto keys = key_options(arguments);
    if (!keys) return complain(kBadInput, keys.error());
    if (keys->empty())
        return complain(kBadInput,
                        base::fail("--key is needed to check a proof: its own key would prove nothing"));
    const auto text = read_text_file(path);
    if (!text) return complain(kBadInput, text.error());
    const auto proof = record::parse_proof(*text);
    if (!proof) return complain(kBadInput, base::fail(path + ": " + proof.error().message));
    if (const auto checked = record::check_proof(*proof, *keys); !checked)
        return complain(kNotGood, base::fail(path + ": " + checked.error().message));
    std::printf("good: this is entry %llu of %s\n", static_cast<unsigned long long>(proof->index),
                base::printable(proof->origin).c_str());
    // The path proves that these are the entry's bytes; whether they follow this format is another question.
    const std::size_t length = proof->entry.size() < 4 ? 0 : base::get_u32(proof->entry.data());
    if (length != proof->entry.size() || length <= record::kEntryHeaderSize ||
        base::get_u32(proof->entry.data() + record::kPayloadLengthAt) > length - record::kEntryHeaderSize)
        std::printf("it is not in a format that can be shown\n");
    else
        std::printf("%s\n", record::entry_line(record::EntryView(proof->entry.data()), proof->index).c_str());
    return kGood;
}

int make(const Arguments& arguments) {
    const auto index = parse_number("ENTRY", arguments.positional[1]);
    if (!index) return complain(kBadInput, index.error());
    auto origin = open_origin(arguments.positional[0], arguments.value("--origin"));
    if (!origin) return complain(kBadInput, origin.error());
    auto reader = record::StreamReader::open(std::move(*origin));
    if (!reader) return complain_of_reading(reader.error());
    const auto proof = record::prove_entry(**reader, *index);
    if (!proof) return complain_of_reading(proof.error());
    std::fputs(record::to_json(*proof).c_str(), stdout);
    return kGood;
}

}  // namespace

int prove_command(std::span<char*> command_line) {
    const auto checking = parse_arguments(command_line, {}, {{"--check", true}, {"--key", true}});
    if (checking && checking->has("--check")) return check(*checking, *checking->value("--check"));
    const auto arguments = parse_arguments(command_line, {"DIR", "ENTRY"}, {{"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    return make(*arguments);
}

}  // namespace hoopguard::tools
