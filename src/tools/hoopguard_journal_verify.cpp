// hoopguard-journal verify: judges every byte of every origin.
#include "base/text.hpp"
#include "record/verify.hpp"
#include "tools/hoopguard_journal.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <set>

namespace hoopguard::tools {
namespace {

using record::Finding;
using record::OriginReport;

base::Result<std::vector<record::KeptCheckpoint>> kept_checkpoints(const Arguments& arguments) {
    std::vector<record::KeptCheckpoint> out;
    for (const std::string& path : arguments.values("--checkpoint")) {
        const auto text = read_text_file(path);
        if (!text) return text.error();
        record::NoteSequence sequence = record::parse_notes(*text);
        if (!sequence.fault.empty())
            return base::fail(path + ", offset " + std::to_string(sequence.sound) + ": " + sequence.fault);
        if (sequence.notes.empty()) return base::fail(path + ": the file has no checkpoint");
        for (record::SignedNote& note : sequence.notes) out.push_back({path, std::move(note)});
    }
    return out;
}

void print(const char* word, const std::vector<Finding>& findings) {
    for (const Finding& finding : findings)
        std::printf("  %s: %s\n", word, base::printable(finding.text()).c_str());
    if (findings.size() == record::kMaxFindings) std::printf("  and perhaps more\n");
}

void print(const OriginReport& report) {
    std::printf("%s: %s\n", report.directory.c_str(), report.ok() ? "good" : "NOT GOOD");
    std::printf("  origin:      %s\n", report.origin.c_str());
    const std::uint64_t count = report.size - report.first_index;
    if (count == 0) {
        std::printf("  entries:     none\n");
    } else {
        std::printf("  entries:     %" PRIu64 " (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " bytes in %" PRIu64
                    " segments\n",
                    count, report.first_index, report.size - 1, report.bytes, report.segments);
        std::printf("  time:        %s to %s\n", base::to_rfc3339(report.first_time, 6).c_str(),
                    base::to_rfc3339(report.last_time, 6).c_str());
    }
    std::printf("  root:        %s\n", base::to_base64(report.root).c_str());
    const std::uint64_t unsigned_count = report.size - std::min(report.size, report.covered);
    std::printf("  checkpoints: %" PRIu64 "; %" PRIu64 " entries signed, %" PRIu64 " not yet signed%s\n",
                report.checkpoints, report.covered, unsigned_count, report.stopped ? "; stopped in order" : "");
    print("problem", report.problems);
    print("note", report.notes);
}

// A checkpoint that somebody kept of an origin that is not here any more.
bool print_absent(const std::vector<record::KeptCheckpoint>& kept, const std::set<std::string>& origins) {
    bool any = false;
    for (const record::KeptCheckpoint& checkpoint : kept) {
        const std::string origin = checkpoint.note.text.substr(0, checkpoint.note.text.find('\n'));
        if (origins.contains(origin)) continue;
        any = true;
        std::printf("problem: %s has a checkpoint of %s, and that origin is not here\n", checkpoint.label.c_str(),
                    base::printable(origin).c_str());
    }
    return any;
}

}  // namespace

int verify_command(std::span<char*> command_line) {
    const auto arguments =
        parse_arguments(command_line, {"DIR"}, {{"--key", true}, {"--checkpoint", true}, {"--origin", true}});
    if (!arguments) return complain(kBadInput, arguments.error());
    record::VerifyOptions options;
    auto keys = key_options(*arguments);
    if (!keys) return complain(kBadInput, keys.error());
    options.keys = std::move(*keys);
    auto kept = kept_checkpoints(*arguments);
    if (!kept) return complain(kBadInput, kept.error());
    options.kept = std::move(*kept);
    const auto origins = open_origins(arguments->positional[0], arguments->value("--origin"));
    if (!origins) return complain(kBadInput, origins.error());
    if (options.keys.empty())
        std::fprintf(stderr,
                     "hoopguard-journal: no --key was given, so the journal's own key.pub is believed: that "
                     "finds damage, not a journal that was rewritten and signed anew\n");
    int status = kGood;
    std::set<std::string> seen;
    for (const auto& origin : *origins) {
        const auto report = record::verify_origin(*origin, options);
        if (!report) {
            std::printf("%s: NOT GOOD\n  problem: %s\n", origin->name().c_str(),
                        base::printable(report.error().message).c_str());
            status = kNotGood;
            continue;
        }
        print(*report);
        seen.insert(report->origin);
        if (!report->ok()) status = kNotGood;
    }
    if (!arguments->has("--origin") && print_absent(options.kept, seen)) status = kNotGood;
    return status;
}

}  // namespace hoopguard::tools
