// hoopguard-journal bundle: a part of a journal that proves itself alone, to hand over.
#include "base/text.hpp"
#include "record/bundle.hpp"
#include "record/entry_text.hpp"
#include "tools/hoopguard_journal.hpp"

#include <cstdio>

namespace hoopguard::tools {
namespace {

void print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
}

void print_report(const record::BundleReport& report) {
    print("good: " + std::to_string(report.entries) + " entries of " + base::printable(report.origin) +
          ", each in the tree of " + std::to_string(report.tree_size) + " entries that a trusted key signed");
    print("selection: " + record::selection_text(report.selection));
    print("sessions: " + std::to_string(report.sessions) + ", " + std::to_string(report.sessions_with_holes) +
          " of them with holes in their numbers");
    if (report.unsigned_entries > 0)
        print("left out: " + std::to_string(report.unsigned_entries) +
              " entries that no checkpoint covered when the bundle was made");
    print("limit: " + record::bundle_limit());
}

int check(const Arguments& arguments, const std::string& path) {
    const auto keys = key_options(arguments);
    if (!keys) return complain(kBadInput, keys.error());
    if (keys->empty())
        return complain(kBadInput,
                        base::fail("--key is needed to check a bundle: its own key would prove nothing"));
    const auto text = read_text_file(path);
    if (!text) return complain(kBadInput, text.error());
    const bool quiet = arguments.has("--quiet");
    record::BundleCheck bundle(*keys, [quiet](const record::EntryView& entry, std::uint64_t index) {
        if (!quiet) print(record::entry_line(entry, index));
    });
    std::string_view rest = *text;
    std::size_t number = 0;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        ++number;
        const base::Status taken = end == std::string_view::npos ? base::Status(base::fail("the last line is cut"))
                                                                 : bundle.take(rest.substr(0, end));
        if (!taken)
            return complain(kNotGood,
                            base::fail(path + ", line " + std::to_string(number) + ": " + taken.error().message));
        rest.remove_prefix(end + 1);
    }
    if (const base::Status finished = bundle.finish(); !finished)
        return complain(kNotGood, base::fail(path + ": " + finished.error().message));
    for (const record::BundleReport& report : bundle.reports()) print_report(report);
    return kGood;
}

int make(const Arguments& arguments) {
    const auto filter = filter_options(arguments);
    if (!filter) return complain(kBadInput, filter.error());
    record::BundleSelection selection;
    selection.actor = arguments.value("--actor").value_or("");
    selection.session = filter->session;
    selection.since = filter->since;
    selection.until = filter->until;
    auto origins = open_origins(arguments.positional[0], arguments.value("--origin"));
    if (!origins) return complain(kBadInput, origins.error());
    for (auto& origin : *origins) {
        auto reader = record::StreamReader::open(std::move(origin));
        if (!reader) return complain_of_reading(reader.error());
        if (const base::Status written = record::write_bundle(**reader, selection, print); !written)
            return complain_of_reading(written.error());
    }
    return kGood;
}

}  // namespace

int bundle_command(std::span<char*> command_line) {
    const auto checking =
        parse_arguments(command_line, {}, {{"--check", true}, {"--key", true}, {"--quiet", false}});
    if (checking && checking->has("--check")) return check(*checking, *checking->value("--check"));
    const auto arguments = parse_arguments(
        command_line, {"DIR"},
        {{"--actor", true}, {"--session", true}, {"--since", true}, {"--until", true}, {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    return make(*arguments);
}

}  // namespace hoopguard::tools
