// Writing the server's own entries.
#include "workers/milestones.hpp"

#include "record/entry.hpp"
#include "record/journal_pg.hpp"
#include "workers/server_facts.hpp"

namespace hoopguard::workers {
namespace {

constexpr char kLibraryVersion[] = "1.0.0";
constexpr int kPatience = 10'000;  // milliseconds for the sealer to copy an entry

template <typename Fill>
void append(record::EntryType type, bool in_recovery, Fill fill) {
    base::Bytes bytes;
    record::EntryHead head;
    head.type = type;
    head.time = wall_clock();
    if (in_recovery) head.flags = record::kFlagStandby;
    record::EntryWriter entry(bytes, head);
    fill(entry);
    std::uint64_t const end = record::append(entry, record::Room::kClosing);
    if (end != 0) (void)record::wait_copied(end, kPatience);
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

}  // namespace hoopguard::workers
