// The notary's duties beside signing.
#include "workers/housekeeping.hpp"

#include "pg/boundary.hpp"
#include "pg/setting_names.hpp"
#include "pg/settings.hpp"
#include "record/journal_pg.hpp"
#include "workers/milestones.hpp"
#include "workers/telling.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace hoopguard::workers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kLook = kSecond;                // between looks at the segments
constexpr std::uint64_t kSpaceLook = 5 * kSecond;       // between looks at free space
constexpr std::uint64_t kAnnounceAgain = 60 * kSecond;  // after an announcement that could not be carried out
constexpr std::uint64_t kMegabyte = 1u << 20;

bool trims() noexcept {
    return pg::settings.journal_retention > 0 || pg::settings.journal_max_size > 0;
}

// Commands may hold passwords: how long one is tells that there is one, and nothing else.
std::string shown(std::string_view name, const std::string& value) {
    if (value.empty() || !name.ends_with("_command")) return value;
    return "(hidden, " + std::to_string(value.size()) + " bytes)";
}

std::string setting_now(const char* name) {
    const char* const value = pg::call([name] { return GetConfigOption(name, true, false); });
    return value != nullptr ? value : "";
}

}  // namespace

Housekeeping::Housekeeping(record::Shared& journal)
    : journal_(journal), files_(record::system_files()), shelf_(files_), archivist_(journal, files_) {}

bool Housekeeping::restless() const noexcept {
    return trims() || Archivist::wanted() || record::ring().lost() > 0;
}

void Housekeeping::step(std::uint64_t signed_size, std::uint64_t now) {
    record_settings();
    tell_losses();
    if (now - space_at_ >= kSpaceLook) {
        space_at_ = now;
        watch_space();
    }
    if (!trims() && !Archivist::wanted() && !archivist_.running()) return;
    if (now - looked_at_ >= kLook) {
        looked_at_ = now;
        base::Status const looked =
            shelf_.look(journal_.origin_directory, journal_.segment.load(std::memory_order_acquire));
        if (!looked.ok() && !shelf_failed_) tell(looked.error());
        shelf_failed_ = !looked.ok();
    }
    if (!shelf_failed_) archivist_.step(shelf_, signed_size, now);
}

bool Housekeeping::announce_removal(std::uint64_t signed_size, std::uint64_t now) {
    if (!trims() || shelf_failed_ || now < announce_at_ || shelf_.segments().empty()) return false;
    record::KeepRule rule;
    rule.at_least = static_cast<std::uint64_t>(pg::settings.journal_retention) * kSecond;
    rule.at_most = static_cast<std::uint64_t>(pg::settings.journal_max_size) * kMegabyte;
    rule.archived_below = archivist_.archived_below();
    rule.signed_size = signed_size;
    rule.now = now;
    const record::KeptSegment* const first = shelf_.first_to_keep(rule);
    if (first->number == shelf_.segments().begin()->first) return false;
    announce_at_ = now + kAnnounceAgain;
    std::string detail = std::string("hoopguard.journal_retention = ") +
                         std::to_string(pg::settings.journal_retention) +
                         " s, hoopguard.journal_max_size = " + std::to_string(pg::settings.journal_max_size) +
                         " MB; " + (Archivist::wanted() ? "archived" : "no archive command");
    if (!append_retention(first->header.frontier, detail)) return false;
    keep_from_ = first->number;
    return true;
}

void Housekeeping::remove() {
    std::uint64_t const before = shelf_.segments().begin()->first;
    std::uint64_t const first_kept = shelf_.segments().at(keep_from_).header.first_index();
    base::Status const removed = shelf_.remove_before(keep_from_);
    if (!removed.ok()) return tell(removed.error());
    announce_at_ = 0;
    tell("removed the journal's segments " + std::to_string(before) + " to " + std::to_string(keep_from_ - 1) +
         ", entries before " + std::to_string(first_kept));
}

void Housekeeping::tell_losses() {
    std::uint64_t const lost = record::ring().lost();
    if (lost == 0 || journal_.stuck.load() != 0 || journal_.fault.load() != 0) return;
    if (append_loss(lost)) record::ring().told_lost(lost);
}

void Housekeeping::watch_space() {
    std::uint64_t free = 0;
    if (files_.free_space(journal_.origin_directory, &free) != 0) return;
    std::uint64_t const wanted = static_cast<std::uint64_t>(pg::settings.journal_min_free) * kMegabyte;
    bool const low = free < wanted;
    if (low == space_low_) return;
    space_low_ = low;
    std::string const found = std::to_string(free / kMegabyte) +
                              " MB free in the journal's file system, journal_min_free is " +
                              std::to_string(pg::settings.journal_min_free) + " MB";
    if (!low) return tell("enough space again: " + found);
    tell("space runs out: " + found,
         "When none is left, statements are refused. Free some, or keep less journal.");
    append_alert("space runs out: " + found);
}

void Housekeeping::record_settings() {
    for (const char* const name : pg::administrators_settings()) {
        std::string const value = setting_now(name);
        auto const known = settings_.find(name);
        bool const first = known == settings_.end();
        if (!first && known->second == value) continue;
        std::string const before = first ? "" : shown(name, known->second);
        // What could not be recorded is tried again.
        if (append_configuration(name, first ? nullptr : &before, shown(name, value))) settings_[name] = value;
    }
}

}  // namespace hoopguard::workers
