// hoopguard-journal export: entries for other programs.
#include "record/entry_text.hpp"
#include "record/ocsf.hpp"
#include "tools/hoopguard_journal.hpp"

#include <cstdio>
#include <ctime>

namespace hoopguard::tools {
namespace {

using record::Step;
using record::StreamReader;

constexpr timespec kFollowPause = {0, 200'000'000};

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

// The leaf index that the next entry will have.
base::Result<std::uint64_t> end_index(StreamReader& reader) {
    if (reader.segments() == 0) return std::uint64_t{0};
    const auto last = reader.segment(reader.segments() - 1);
    if (!last) return last.error();
    return *last ? (*last)->end_index() : 0;
}

// Entries as they come, until nobody reads them any more.
int follow(const Arguments& arguments) {
    std::optional<std::uint64_t> index;
    if (const auto from = arguments.value("--from")) {
        const auto number = parse_number("--from", *from);
        if (!number) return complain(kBadInput, number.error());
        index = *number;
    }
    while (true) {
        // Opened anew each time: segments are begun and removed while this follows.
        auto origin = open_origin(arguments.positional[0], arguments.value("--origin"));
        if (!origin) return complain(kBadInput, origin.error());
        auto reader = StreamReader::open(std::move(*origin));
        if (!reader) return complain_of_reading(reader.error());
        if (!index) {
            const auto end = end_index(**reader);
            if (!end) return complain_of_reading(end.error());
            index = *end;
        }
        record::Scan scan(**reader, {.first_index = *index});
        Step step;
        while ((step = scan.next()) == Step::kEntry) {
            print_json(record::entry_json(scan.found().entry, scan.found().index, (*reader)->origin()));
            index = scan.found().index + 1;
        }
        if (step == Step::kFault) return complain_of_reading(scan.error());
        if (std::fflush(stdout) != 0) return kBadInput;
        nanosleep(&kFollowPause, nullptr);
    }
}

}  // namespace

int export_command(std::span<char*> command_line) {
    const auto arguments = parse_arguments(command_line, {"DIR"},
                                           {{"--format", true},
                                            {"--session", true},
                                            {"--since", true},
                                            {"--until", true},
                                            {"--origin", true},
                                            {"--from", true},
                                            {"-f", false}});
    if (!arguments) return complain(kBadInput, arguments.error());
    const std::string format = arguments->value("--format").value_or("");
    if (format != "jsonl" && format != "ocsf")
        return complain(kBadInput, base::fail("--format must be jsonl or ocsf, not \"" + format + "\""));
    const auto filter = filter_options(*arguments);
    if (!filter) return complain(kBadInput, filter.error());
    if (arguments->has("-f")) {
        for (const char* const option : {"--session", "--since", "--until"})
            if (arguments->has(option))
                return complain(kBadInput, base::fail(std::string("-f takes every entry: ") + option +
                                                      " does not go with it"));
        if (format != "jsonl") return complain(kBadInput, base::fail("-f goes with --format jsonl only"));
        return follow(*arguments);
    }
    if (arguments->has("--from")) return complain(kBadInput, base::fail("--from goes with -f only"));
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
