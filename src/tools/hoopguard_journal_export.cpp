// hoopguard-journal export: entries for other programs.
#include "record/entry_text.hpp"
#include "record/ocsf.hpp"
#include "tools/hoopguard_journal.hpp"

#include <cstdio>

namespace hoopguard::tools {
namespace {

using record::Step;
using record::StreamReader;

void print_json(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
}

int export_origin(StreamReader& reader, const record::ScanFilter& filter, bool ocsf) {
    record::OcsfExport events(reader, reader.directory().name(), print_json);
    record::Scan scan(reader, filter);
    Step step;
    while ((step = scan.next()) == Step::kEntry) {
        const record::HeldEntry& found = scan.found();
        if (ocsf)
            events.add(found.entry, found.index);
        else
            print_json(record::entry_json(found.entry, found.index, reader.origin()));
    }
    events.finish();
    return step == Step::kFault ? complain_of_reading(scan.error()) : kGood;
}

}  // namespace

int export_command(std::span<char*> command_line) {
    const auto arguments = parse_arguments(
        command_line, {"DIR"},
        {{"--format", true}, {"--session", true}, {"--since", true}, {"--until", true}, {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    const std::string format = arguments->value("--format").value_or("");
    if (format != "jsonl" && format != "ocsf")
        return complain(kBadInput, base::fail("--format must be jsonl or ocsf, not \"" + format + "\""));
    const auto filter = filter_options(*arguments);
    if (!filter) return complain(kBadInput, filter.error());
    auto origins = open_origins(arguments->positional[0], arguments->value("--origin"));
    if (!origins) return complain(kBadInput, origins.error());
    int status = kGood;
    for (auto& origin : *origins) {
        auto reader = StreamReader::open(std::move(origin));
        if (!reader) return complain_of_reading(reader.error());
        if (const int exported = export_origin(**reader, *filter, format == "ocsf"); exported != kGood)
            status = exported;
    }
    return status;
}

}  // namespace hoopguard::tools
