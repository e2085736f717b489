// The journal at shared-memory start-up: open the origin, recover it, map the ring.
//
// The postmaster runs this before it forks anybody, and again after a backend died, when all others are gone;
// children inherit the mapping and the ring's lock. A standalone server runs it for itself.
#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "record/archive_state_pg.hpp"
#include "record/journal_pg.hpp"
#include "record/journal_shared_pg.hpp"
#include "record/recovery.hpp"

#include <unistd.h>
#include <ctime>

extern "C" {
#include "access/xlog.h"
#include "storage/pg_shmem.h"
#include "storage/shmem.h"
}

namespace hoopguard::record {
namespace {

constexpr char kTranche[] = "hoopguard_journal";

// Per process, inherited by forks: plain data.
Shared* attached = nullptr;
Ring mapping;
Slots running;
int ring_descriptor = -1;

std::uint64_t now() noexcept {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

// What the pure floors say in one string is a message and a remedy here.
[[noreturn]] void refuse_start(const base::Error& error) {
    std::size_t const mark = error.message.find(kRemedyMark);
    bool const full = error.number == ENOSPC || error.number == EDQUOT;
    throw pg::Refusal(full ? ERRCODE_DISK_FULL : ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                      pg::format("hoopguard: %s", error.message.substr(0, mark).c_str()), nullptr,
                      mark == std::string::npos ? nullptr : pg::format("%s", error.message.c_str() + mark + 1));
}

void tell(const std::vector<std::string>& notices) {
    for (const std::string& notice : notices) {
        const char* const text = notice.c_str();
        pg::call([text] { ereport(LOG, (errmsg("hoopguard: %s", text))); });
    }
}

JournalPlace place_here() {
    JournalPlace place;
    std::string const directory = pg::settings.journal_directory;
    place.directory = directory.starts_with('/') ? directory : std::string(DataDir) + "/" + directory;
    place.inside = !directory.starts_with('/');
    place.system = GetSystemIdentifier();
    place.user = geteuid();
    place.now = now();
    return place;
}

// Outcomes and ends of every backend that could be at work find room in what others leave free, and so does what
// stands in its slot.
std::uint64_t closing_margin(std::uint64_t ring_size) {
    return Min(ring_size / 4, Max(ring_size / 16, static_cast<std::uint64_t>(MaxBackends) * (4096 + kSlotSize)));
}

void map_slots(const JournalPlace& place, const RingIdentity& identity) {
    if (!IsPostmasterEnvironment) return;
    auto const count = static_cast<std::uint32_t>(MaxBackends);
    auto const file = make_slots(system_files(), slots_path(place.directory), identity, count);
    if (!file.ok()) refuse_start(file.error());
    int const failed = running.map(file.value().get(), count);
    if (failed != 0) refuse_start(file_error("map", slots_path(place.directory), failed));
}

void open_and_recover(Shared& journal) {
    Files& files = system_files();
    JournalPlace const place = place_here();
    auto origin = open_origin(files, place);
    if (!origin.ok()) refuse_start(origin.error());
    tell(origin->notices);
    std::uint64_t const segment_size = static_cast<std::uint64_t>(pg::settings.journal_segment_size) << 20;
    auto const recovered = recover(files, *origin, slots_path(place.directory), segment_size, place.now);
    if (!recovered.ok()) refuse_start(recovered.error());
    map_slots(place, origin->identity);
    tell(recovered.value().notices);
    int const failed = mapping.map(origin->ring.get(), origin->identity);
    if (failed != 0) refuse_start(file_error("map the ring file in", place.directory, failed));
    ring_descriptor = origin->ring.release();

    journal.identity = origin->identity;
    journal.segment_size = segment_size;
    journal.closing_margin = closing_margin(origin->identity.size);
    journal.recovered = recovered.value().entries;
    journal.gaps = recovered.value().gaps;
    journal.tail.store(recovered.value().tail);
    journal.segment.store(recovered.value().segment);
    journal.first_unsynced = recovered.value().segment;
    journal.first_unnamed = recovered.value().segment + (recovered.value().has_segment ? 1 : 0);
    strlcpy(journal.origin_directory, origin->directory.c_str(), sizeof journal.origin_directory);
    strlcpy(journal.previous_origin, origin->previous.c_str(), sizeof journal.previous_origin);
    std::uint64_t const entries = journal.recovered;
    std::uint64_t const position = recovered.value().tail;
    const char* const directory = journal.origin_directory;
    bool const begun = origin->begun;
    pg::call([=] {
        ereport(LOG, (errmsg("hoopguard: journal %s in \"%s\" at position %llu, %llu entries recovered",
                             begun ? "begun" : "goes on", directory, static_cast<unsigned long long>(position),
                             static_cast<unsigned long long>(entries))));
    });
}

void let_go() noexcept {
    mapping.unmap();
    running.unmap();
    if (ring_descriptor >= 0) system_files().close(ring_descriptor);
    ring_descriptor = -1;
    attached = nullptr;
}

}  // namespace

[[gnu::hot]] Shared* shared() noexcept {
    // The syslogger detaches from shared memory and may still report errors.
    return UsedShmemSegAddr == nullptr || (IsPostmasterEnvironment && !IsUnderPostmaster) ? nullptr : attached;
}

[[gnu::hot]] Ring& ring() noexcept {
    return mapping;
}

[[gnu::hot]] Slots& slots() noexcept {
    return running;
}

void request_shared() {
    pg::call([] {
        RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)) + PG_CACHE_LINE_SIZE);
        RequestNamedLWLockTranche(kTranche, 2);
    });
}

void attach_shared() {
    let_go();
    bool found = false;
    auto* const journal = pg::call([&found] {
        auto* at = static_cast<Shared*>(ShmemInitStruct("hoopguard journal", sizeof(Shared), &found));
        if (!found) MemSet(static_cast<void*>(at), 0, sizeof(Shared));
        return at;
    });
    if (found) throw pg::Refusal(ERRCODE_INTERNAL_ERROR, "the journal's shared memory is there already");
    LWLockPadded* const locks = pg::call([] { return GetNamedLWLockTranche(kTranche); });
    journal->flush_lock = &locks[0].lock;
    journal->drained_lock = &locks[1].lock;
    ConditionVariableInit(&journal->copied_changed);
    ConditionVariableInit(&journal->served_changed);
    journal->alone = !IsPostmasterEnvironment;
    if (IsBinaryUpgrade) {
        // pg_upgrade runs two clusters in turn, one of which may not own the directory that its settings name.
        pg::call([] { ereport(LOG, (errmsg("hoopguard: binary upgrade, nothing is recorded"))); });
    } else {
        open_and_recover(*journal);
        journal->recording = true;
    }
    attached = journal;
}

void recover_in_place() {
    Shared& journal = *attached;
    OpenOrigin origin;
    origin.identity = journal.identity;
    origin.directory = journal.origin_directory;
    origin.ring = OpenFile(system_files(), ring_descriptor);
    auto const recovered = recover(system_files(), origin, {}, journal.segment_size, now());
    origin.ring.release();
    if (!recovered.ok()) refuse_start(recovered.error());
}

ArchiveState archive_state() noexcept {
    Shared* const journal = shared();
    if (journal == nullptr) return {};
    return {journal->archived_below.load(), journal->archive_failures.load(),
            journal->archive_failing.load() != 0};
}

JournalState journal_state() noexcept {
    JournalState state = {};
    Shared* const journal = shared();
    state.origin_directory = "";
    state.previous_origin = "";
    if (journal == nullptr || !journal->recording) return state;
    LWLockAcquire(journal->drained_lock, LW_SHARED);
    state.tree_size = journal->drained.frontier.size();
    LWLockRelease(journal->drained_lock);
    state.recording = true;
    state.tail = journal->tail.load();
    state.segment = journal->segment.load();
    state.copied = mapping.copied();
    state.durable = mapping.durable();
    state.ring_size = mapping.size();
    state.recovered = journal->recovered;
    state.gaps = journal->gaps;
    state.waits = journal->waits.load();
    state.refusals = journal->refusals.load();
    state.losses = journal->losses.load();
    state.flushes = journal->flushes.load();
    state.signed_size = journal->signed_size.load();
    state.signed_at = journal->signed_at.load();
    state.command_failures = journal->command_failures.load();
    state.stuck = journal->stuck.load();
    state.fault = journal->fault.load();
    state.origin_directory = journal->origin_directory;
    state.previous_origin = journal->previous_origin;
    return state;
}

}  // namespace hoopguard::record
