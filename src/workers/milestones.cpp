// Writing the server's own entries.
#include "workers/milestones.hpp"

#include "pg/boundary.hpp"
#include "record/entry.hpp"
#include "record/journal_pg.hpp"
#include "workers/server_facts.hpp"

extern "C" {
#include "access/xlog.h"
}

namespace hoopguard::workers {
namespace {

constexpr char kLibraryVersion[] = "1.0.0";
constexpr int kPatience = 10'000;  // milliseconds for the sealer to copy an entry

template <typename Fill>
bool append(record::EntryType type, bool in_recovery, Fill fill) {
    base::Bytes bytes;
    record::EntryHead head;
    head.type = type;
    head.time = wall_clock();
    if (in_recovery) head.flags = record::kFlagStandby;
    record::EntryWriter entry(bytes, head);
    fill(entry);
    std::uint64_t const end = record::append(entry, record::Room::kClosing);
    if (end != 0) (void)record::wait_copied(end, kPatience);
    return end != 0;
}

bool in_recovery_now() {
    return pg::call([] { return RecoveryInProgress(); });
}

}  // namespace

void append_open() {
    ServerFacts const facts = facts_at_start();
    append(record::EntryType::kOpen, facts.in_recovery, [&](record::EntryWriter& entry) {
        entry.add_uint(record::Field::kWalPosition, facts.wal_position);
        entry.add_uint(record::Field::kNextXid, facts.next_xid);
        entry.add_text(record::Field::kServerVersion, PG_VERSION);
        entry.add_text(record::Field::kLibraryVersion, kLibraryVersion);
        entry.add_uint(record::Field::kTimeline, facts.timeline);
        entry.add_bool(record::Field::kInRecovery, facts.in_recovery);
        entry.add_text(record::Field::kHost, host_name());
        std::string_view const previous = record::shared()->previous_origin;
        if (!previous.empty()) entry.add_text(record::Field::kPreviousOrigin, previous);
    });
}

void append_milestone(record::EntryType type, const record::Drained& before) {
    ServerFacts const facts = facts_now();
    append(type, facts.in_recovery, [&](record::EntryWriter& entry) {
        entry.add_uint(record::Field::kWalPosition, facts.wal_position);
        entry.add_uint(record::Field::kNextXid, facts.next_xid);
        entry.add_uint(record::Field::kTreeSize, before.frontier.size());
        entry.add_bytes(record::Field::kTreeRoot, before.frontier.root());
        entry.add_uint(record::Field::kTimeline, facts.timeline);
    });
}

bool append_retention(const record::Frontier& first_kept, const std::string& detail) {
    return append(record::EntryType::kRetention, in_recovery_now(), [&](record::EntryWriter& entry) {
        entry.add_uint(record::Field::kFirstKeptIndex, first_kept.size());
        record::CborWriter& frontier = entry.add_array(record::Field::kFrontier, first_kept.hashes().size());
        for (const record::Hash& hash : first_kept.hashes()) frontier.bytes(hash);
        entry.add_text(record::Field::kDetail, detail);
    });
}

bool append_loss(std::uint64_t count) {
    return append(record::EntryType::kLoss, in_recovery_now(),
                  [&](record::EntryWriter& entry) { entry.add_uint(record::Field::kLostCount, count); });
}

bool append_configuration(const char* setting, const std::string* before, const std::string& value) {
    return append(record::EntryType::kConfiguration, in_recovery_now(), [&](record::EntryWriter& entry) {
        entry.add_text(record::Field::kSetting, setting);
        if (before != nullptr) entry.add_text(record::Field::kOldValue, *before);
        entry.add_text(record::Field::kNewValue, value);
    });
}

bool append_alert(const std::string& detail) {
    return append(record::EntryType::kAlert, in_recovery_now(),
                  [&](record::EntryWriter& entry) { entry.add_text(record::Field::kDetail, detail); });
}

}  // namespace hoopguard::workers
