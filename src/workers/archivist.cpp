// Running journal_archive_command.
#include "workers/archivist.hpp"

#include "pg/settings.hpp"
#include "workers/server_facts.hpp"
#include "workers/telling.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hoopguard::workers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kLongestPause = 60;  // seconds between attempts

}  // namespace

bool Archivist::wanted() noexcept {
    return pg::settings.journal_archive_command != nullptr && *pg::settings.journal_archive_command != '\0';
}

void Archivist::step(const record::SegmentShelf& shelf, std::uint64_t signed_size, std::uint64_t now) {
    if (command_.running() && command_.poll()) ended(now);
    if (!wanted() || command_.running() || now < retry_at_ || shelf.segments().empty()) return;
    if (!next_) {
        auto const known = record::read_archived(files_, journal_.origin_directory);
        if (!known.ok()) return failed(known.error().message, now);
        next_ = known.value();
        journal_.archived_below.store(*next_);
    }
    // What retention removed before there was a command is not waited for.
    auto const segment = shelf.segments().lower_bound(*next_);
    if (segment == shelf.segments().end()) return;
    auto const after = std::next(segment);
    if (after == shelf.segments().end() || after->second.header.first_index() > signed_size) return;
    next_ = segment->first;
    start(segment->first, now);
}

void Archivist::start(std::uint64_t number, std::uint64_t now) {
    std::string const command =
        record::archive_command_for(pg::settings.journal_archive_command, journal_.origin_directory, number);
    if (!command_.start(command, "")) failed(std::string("cannot run /bin/sh: ") + std::strerror(errno), now);
}

void Archivist::ended(std::uint64_t now) {
    if (command_.status() != 0)
        return failed("journal_archive_command failed with " + command_.how_it_ended() + " for segment " +
                          record::segment_name(*next_),
                      now);
    base::Status const noted = record::write_archived(files_, journal_.origin_directory, *next_ + 1);
    if (!noted.ok()) return failed(noted.error().message, now);
    next_ = *next_ + 1;
    journal_.archived_below.store(*next_);
    if (failures_ > 0) tell("journal_archive_command works again");
    failures_ = 0;
    journal_.archive_failing.store(0);
}

void Archivist::failed(const std::string& why, std::uint64_t now) {
    retry_at_ =
        now + std::min<std::uint64_t>(kLongestPause, std::uint64_t{1} << std::min<std::uint64_t>(failures_, 6)) *
                  kSecond;
    journal_.archive_failures.fetch_add(1);
    journal_.archive_failing.store(1);
    if (failures_++ == 0) tell(why, "Segments stay in the journal's directory; the command is tried again.");
}

}  // namespace hoopguard::workers
