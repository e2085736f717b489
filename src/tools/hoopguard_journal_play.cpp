// hoopguard-journal play: a session again, as it happened.
#include "base/text.hpp"
#include "record/assemble.hpp"
#include "record/entry_text.hpp"
#include "record/speaker.hpp"
#include "tools/hoopguard_journal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace hoopguard::tools {
namespace {

using record::EntryType;
using record::EntryView;
using record::Step;
using record::StreamReader;

constexpr double kDefaultPause = 10;  // seconds

struct Pace {
    double speed = 1;
    double max_pause = kDefaultPause;
};

base::Result<double> factor_option(const Arguments& arguments, std::string_view option, double otherwise) {
    const auto text = arguments.value(option);
    if (!text) return otherwise;
    char* end = nullptr;
    const double value = std::strtod(text->c_str(), &end);
    if (text->empty() || *end != '\0' || !(value >= 0 && value <= 1e9))
        return base::fail(std::string(option) + " must be a number from 0 up, not \"" + *text + "\"");
    return value;
}

void wait(std::uint64_t nanoseconds, const Pace& pace) {
    if (pace.speed == 0) return;
    std::fflush(stdout);
    const double seconds = std::min(static_cast<double>(nanoseconds) / 1e9 / pace.speed, pace.max_pause);
    const timespec time = {static_cast<time_t>(seconds),
                           static_cast<long>((seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e9)};
    nanosleep(&time, nullptr);
}

std::string numbered(const EntryView& entry) {
    const auto number = entry.uint(record::Field::kStatementNo);
    return number ? "[" + std::to_string(*number) + "] " : "";
}

std::string outcome_text(const EntryView& entry) {
    std::string out;
    if (const auto sqlstate = entry.text(record::Field::kSqlstate)) {
        out = "error " + base::printable(*sqlstate);
        if (const auto error = entry.text(record::Field::kError)) out += " " + base::printable(*error);
    } else {
        out = "ok";
    }
    if (const auto rows = entry.uint(record::Field::kRows))
        out += ", " + std::to_string(*rows) + (*rows == 1 ? " row" : " rows");
    if (const auto duration = entry.uint(record::Field::kDuration)) out += ", " + record::duration_text(*duration);
    return out;
}

// What the entry is in a session's story; empty when it is no part of it.
std::string told(const EntryView& entry) {
    const std::string text = base::printable(entry.text(record::Field::kStatement).value_or(""));
    switch (entry.type()) {
        case EntryType::kLogin: {
            const record::Speaker speaker = record::read_speaker(entry);
            return "-- " + base::printable(speaker.name()) + " logs in" +
                   (speaker.database.empty() ? "" : " to " + base::printable(speaker.database));
        }
        case EntryType::kLogout: return "-- logs out";
        case EntryType::kStatement:
            if (entry.has(record::kFlagWhole))
                return numbered(entry) + text + "\n             -- " + outcome_text(entry);
            if (!entry.has(record::kFlagRefused)) return numbered(entry) + text;
            return numbered(entry) + text + "\n             -- refused" +
                   (entry.text(record::Field::kGuardrail)
                        ? " by guardrail " + base::printable(*entry.text(record::Field::kGuardrail))
                        : "");
        case EntryType::kFailure: return numbered(entry) + text + "\n             -- " + outcome_text(entry);
        case EntryType::kOutcome: return "-- " + numbered(entry) + outcome_text(entry);
        case EntryType::kTransactionEnd: {
            const auto outcome = entry.uint(record::Field::kTransactionOutcome);
            return outcome
                       ? "-- transaction " + std::string(record::to_text(static_cast<record::TransactionOutcome>(
                                                 std::min<std::uint64_t>(*outcome, 4))))
                       : "";
        }
        default: return "";
    }
}

int play(StreamReader& reader, std::uint64_t session, const Pace& pace, bool& found) {
    record::Scan scan(reader, {.session = session});
    std::uint64_t begun = 0;
    std::uint64_t last = 0;
    Step step;
    while ((step = scan.next()) == Step::kEntry) {
        const EntryView& entry = scan.found().entry;
        if (!found) begun = last = entry.time();
        found = true;
        const std::string line = told(entry);
        if (line.empty()) continue;
        if (entry.time() > last) wait(entry.time() - last, pace);
        last = std::max(last, entry.time());
        std::printf("%+12.3f %s\n", static_cast<double>(last - begun) / 1e9, line.c_str());
    }
    return step == Step::kFault ? complain_of_reading(scan.error()) : kGood;
}

}  // namespace

int play_command(std::span<char*> command_line) {
    const auto arguments = parse_arguments(command_line, {"DIR", "SESSION"},
                                           {{"--speed", true}, {"--max-pause", true}, {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    const auto session = base::parse_session(arguments->positional[1]);
    if (!session)
        return complain(kBadInput, base::fail("SESSION must be a session id such as 65f0c1a2.1f3b, not \"" +
                                              arguments->positional[1] + "\""));
    const auto speed = factor_option(*arguments, "--speed", 1);
    if (!speed) return complain(kBadInput, speed.error());
    const auto max_pause = factor_option(*arguments, "--max-pause", kDefaultPause);
    if (!max_pause) return complain(kBadInput, max_pause.error());
    auto origins = open_origins(arguments->positional[0], arguments->value("--origin"));
    if (!origins) return complain(kBadInput, origins.error());
    bool found = false;
    for (auto& origin : *origins) {
        auto reader = StreamReader::open(std::move(origin));
        if (!reader) return complain_of_reading(reader.error());
        if (const int status = play(**reader, *session, {*speed, *max_pause}, found); status != kGood)
            return status;
    }
    if (!found) return complain(kBadInput, base::fail("the journal has no session " + arguments->positional[1]));
    return kGood;
}

}  // namespace hoopguard::tools
