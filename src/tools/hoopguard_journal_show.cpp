// hoopguard-journal show and tail: entries as lines for people.
#include "record/entry_text.hpp"
#include "record/names.hpp"
#include "record/speaker.hpp"
#include "tools/hoopguard_journal.hpp"

#include <cstdio>
#include <ctime>

namespace hoopguard::tools {
namespace {

using record::Step;
using record::StreamReader;

constexpr std::uint64_t kDefaultTail = 10;
constexpr timespec kFollowPause = {0, 200'000'000};

struct Wanted {
    record::ScanFilter filter;
    std::optional<std::string> actor;
    std::optional<record::EntryType> type;
    std::optional<std::uint64_t> entry;
    std::string private_key;  // PEM; empty: nothing is opened
};

base::Result<Wanted> wanted_options(const Arguments& arguments) {
    Wanted wanted;
    auto filter = filter_options(arguments);
    if (!filter) return filter.error();
    wanted.filter = *filter;
    wanted.actor = arguments.value("--actor");
    if (const auto name = arguments.value("--type")) {
        wanted.type = record::parse_type(*name);
        if (*wanted.type == record::kUnknownType)
            return base::fail("--type must be an entry type such as statement, outcome or login, not \"" + *name +
                              "\"");
    }
    if (const auto text = arguments.value("--entry")) {
        const auto number = parse_number("--entry", *text);
        if (!number) return number.error();
        wanted.entry = *number;
    }
    if (const auto path = arguments.value("--reveal")) {
        auto key = read_text_file(*path);
        if (!key) return key.error();
        wanted.private_key = std::move(*key);
    }
    return wanted;
}

void print_line(const record::EntryView& entry, std::uint64_t index) {
    const std::string line = record::entry_line(entry, index);
    std::printf("%s\n", line.c_str());
}

// The entry's line and, below it, what was sealed in it.
int print_wanted(const record::EntryView& entry, std::uint64_t index, const Wanted& wanted) {
    print_line(entry, index);
    if (wanted.private_key.empty()) return kGood;
    const auto revealed = reveal(entry, wanted.private_key);
    if (!revealed)
        return complain(kNotGood, base::fail("entry " + std::to_string(index) + ": " + revealed.error().message));
    if (*revealed) std::printf("    revealed: %s\n", (*revealed)->c_str());
    return kGood;
}

int show_one(StreamReader& reader, std::uint64_t index, const Wanted& wanted) {
    const auto found = reader.at_index(index);
    if (!found) return complain_of_reading(found.error());
    if (!*found)
        return complain(kBadInput, base::fail("there is no entry " + std::to_string(index) + " in " +
                                              reader.directory().name()));
    return print_wanted((*found)->entry, index, wanted);
}

int show_all(StreamReader& reader, const Wanted& wanted) {
    record::Speakers speakers(reader);
    record::Scan scan(reader, wanted.filter);
    Step step;
    int status = kGood;
    while ((step = scan.next()) == Step::kEntry) {
        const record::EntryView& entry = scan.found().entry;
        if (wanted.actor && speakers.of(entry).name() != *wanted.actor) continue;
        if (wanted.type && entry.type() != *wanted.type) continue;
        if (const int shown = print_wanted(entry, scan.found().index, wanted); shown != kGood) status = shown;
    }
    return step == Step::kFault ? complain_of_reading(scan.error()) : status;
}

// The leaf index of the first of the last `count` entries.
base::Result<std::uint64_t> tail_start(StreamReader& reader, std::uint64_t count) {
    if (reader.segments() == 0) return std::uint64_t{0};
    const auto last = reader.segment(reader.segments() - 1);
    if (!last) return last.error();
    const std::uint64_t end = *last ? (*last)->end_index() : 0;
    const auto oldest = reader.segment(0);
    if (!oldest) return oldest.error();
    const std::uint64_t begin = *oldest ? (*oldest)->header().first_index() : end;
    return end - begin < count ? begin : end - count;
}

// Prints entries from an index on; moves it behind them.
int print_from(StreamReader& reader, std::uint64_t& index) {
    record::Scan scan(reader, {.first_index = index});
    Step step;
    while ((step = scan.next()) == Step::kEntry) {
        print_line(scan.found().entry, scan.found().index);
        index = scan.found().index + 1;
    }
    return step == Step::kFault ? complain_of_reading(scan.error()) : kGood;
}

}  // namespace

int show_command(std::span<char*> command_line) {
    const auto arguments = parse_arguments(command_line, {"DIR"},
                                           {{"--session", true},
                                            {"--since", true},
                                            {"--until", true},
                                            {"--actor", true},
                                            {"--type", true},
                                            {"--entry", true},
                                            {"--reveal", true},
                                            {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    const auto wanted = wanted_options(*arguments);
    if (!wanted) return complain(kBadInput, wanted.error());
    auto origins = open_origins(arguments->positional[0], arguments->value("--origin"));
    if (!origins) return complain(kBadInput, origins.error());
    // An entry's number says nothing without its origin: the newest is meant.
    if (wanted->entry) origins->erase(origins->begin(), origins->end() - 1);
    int status = kGood;
    for (auto& origin : *origins) {
        if (origins->size() > 1) std::printf("# %s\n", origin->name().c_str());
        auto reader = StreamReader::open(std::move(origin));
        if (!reader) return complain_of_reading(reader.error());
        const int shown =
            wanted->entry ? show_one(**reader, *wanted->entry, *wanted) : show_all(**reader, *wanted);
        if (shown != kGood) status = shown;
    }
    return status;
}

int tail_command(std::span<char*> command_line) {
    const auto arguments =
        parse_arguments(command_line, {"DIR"}, {{"-n", true}, {"-f", false}, {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    const auto count = number_option(*arguments, "-n", kDefaultTail);
    if (!count) return complain(kBadInput, count.error());
    std::optional<std::uint64_t> index;
    while (true) {
        // Opened anew each time: segments are begun and removed while this follows.
        auto origin = open_origin(arguments->positional[0], arguments->value("--origin"));
        if (!origin) return complain(kBadInput, origin.error());
        auto reader = StreamReader::open(std::move(*origin));
        if (!reader) return complain_of_reading(reader.error());
        if (!index) {
            const auto start = tail_start(**reader, *count);
            if (!start) return complain_of_reading(start.error());
            index = *start;
        }
        if (const int status = print_from(**reader, *index); status != kGood) return status;
        if (!arguments->has("-f")) return kGood;
        if (std::fflush(stdout) != 0) return kBadInput;
        nanosleep(&kFollowPause, nullptr);
    }
}

}  // namespace hoopguard::tools
