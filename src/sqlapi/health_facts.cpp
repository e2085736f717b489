// Gathering the facts of health. Whatever cannot be had stays empty: judging that is doctor()'s business.
#include "sqlapi/health_facts.hpp"

#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "record/segment.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace hoopguard::sqlapi {

namespace {

std::string resolved(const std::string& path) {
    char* const real = realpath(path.c_str(), nullptr);
    std::string found = real != nullptr ? real : path;
    std::free(real);
    return found;
}

std::string absolute(const std::string& path) {
    return resolved(path.starts_with('/') ? path : std::string(DataDir) + "/" + path);
}

// The last of the signed notes in `end`, the end of a file of them. Each begins with its origin's line.
std::string_view last_note(std::string_view end) {
    std::size_t const at = end.rfind("\nhoopguard/");
    return at == std::string_view::npos ? end : end.substr(at + 1);
}

// Reads only the end of the file, which grows for as long as the journal does.
base::Result<record::Checkpoint> newest_checkpoint(const std::string& origin) {
    auto const source = record::open_file(origin + "/" + record::kCheckpointsName);
    if (!source) return source.error();
    auto const size = (*source)->size();
    if (!size) return size.error();
    base::Bytes end(std::min<std::uint64_t>(*size, record::kMaxNoteSize));
    auto const got = (*source)->read_at(*size - end.size(), end);
    if (!got) return got.error();
    auto const notes = record::parse_notes(last_note(base::text_of(base::ByteView(end).first(*got))));
    if (notes.notes.empty()) return base::fail(notes.fault);
    return record::parse_checkpoint(notes.notes.back().text);
}

}  // namespace

HealthFacts health_facts() {
    HealthFacts facts;
    facts.state = record::journal_state();
    if (!facts.state.recording || facts.state.origin_directory == nullptr)
        throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "this server keeps no journal");
    std::string const origin = facts.state.origin_directory;
    facts.directory = resolved(origin.substr(0, origin.rfind('/')));
    const char* const keys = pg::settings.key_directory;
    facts.keys = keys == nullptr || *keys == '\0' ? facts.directory : absolute(keys);
    facts.inside_data = (facts.directory + "/").starts_with(absolute(".") + "/");
    struct statvfs space;
    if (statvfs(facts.directory.c_str(), &space) == 0)
        facts.free_bytes = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    struct stat status;
    if (stat(facts.directory.c_str(), &status) == 0) facts.mode = status.st_mode & 07777;
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    facts.now =
        static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
    auto checkpoint = newest_checkpoint(origin);
    if (checkpoint)
        facts.checkpoint = std::move(*checkpoint);
    else
        facts.checkpoint_error = checkpoint.error().message;
    return facts;
}

}  // namespace hoopguard::sqlapi
