// Appending: reserve a place in the ring, copy, publish. Between reserving and publishing nothing is called
// that could raise, allocate or handle an interrupt, so that only the death of the process leaves a hole.
#include "record/journal_pg.hpp"

#include "identify/session_pg.hpp"
#include "pg/boundary.hpp"
#include "pg/report.hpp"
#include "pg/settings.hpp"
#include "record/entry.hpp"
#include "record/journal_shared_pg.hpp"

#include <cerrno>

extern "C" {
#include "portability/instr_time.h"
#include "utils/wait_event.h"
}

namespace hoopguard::record {
namespace {

constexpr int kWaitSlice = 10;       // milliseconds
constexpr int kFullPatience = 2000;  // milliseconds without progress, when nothing is known to be wrong
constexpr int kStuckPatience = 100;  // likewise, when the sealer has said that it cannot go on

void count_loss(Shared& journal) noexcept {
    journal.losses.fetch_add(1, std::memory_order_relaxed);
    ring().add_lost();
}

// Fails an ordinary entry: counts it, and throws unless its loss is permitted.
std::uint64_t refuse(Shared& journal, int sqlstate, const char* message, const char* hint) {
    if (pg::settings.on_failure() == pg::FailureAction::kAllow || identify::is_rescuer()) {
        count_loss(journal);
        return 0;
    }
    journal.refusals.fetch_add(1, std::memory_order_relaxed);
    throw pg::Refusal(sqlstate, message, nullptr, hint);
}

std::uint64_t refuse_full(Shared& journal) {
    int const stuck = journal.stuck.load(std::memory_order_relaxed);
    if (stuck != 0 && stuck != ENOSPC && stuck != EDQUOT)
        return refuse(journal, ERRCODE_IO_ERROR,
                      pg::format("the journal cannot be written: %s", std::strerror(stuck)),
                      "No statement runs unrecorded. See the server log for the file at fault.");
    return refuse(journal, ERRCODE_DISK_FULL, "the journal is full, so that the statement cannot be recorded",
                  "No statement runs unrecorded. Free disk space where hoopguard.journal_directory is; statements "
                  "are accepted again by themselves.");
}

std::uint64_t refuse_fault(Shared& journal) {
    return refuse(
        journal, ERRCODE_IO_ERROR,
        pg::format("the journal has failed: %s", std::strerror(journal.fault.load(std::memory_order_relaxed))),
        "No statement runs unrecorded. Mend the disk under hoopguard.journal_directory and restart the server.");
}

// Waits for room as long as the sealer makes progress. True when it may be tried again.
bool wait_for_room(Shared& journal) {
    std::uint64_t const before = ring().copied();
    for (int waited = 0;; waited += kWaitSlice) {
        int const patience = journal.stuck.load(std::memory_order_relaxed) != 0 ? kStuckPatience : kFullPatience;
        if (waited >= patience) return false;
        wake_sealer();
        pg::call([] {
            (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kWaitSlice,
                            PG_WAIT_EXTENSION);
            ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
        });
        if (ring().copied() != before) return true;
        if (journal.fault.load(std::memory_order_relaxed) != 0) return false;
    }
}

// How many bytes an entry must leave free. Failures keep out of half of what is kept back, since a client can
// make any number of them; a rescuer may use that half too.
std::uint64_t margin_for(const Shared& journal, Room room, EntryType type) {
    if (room == Room::kOrdinary)
        return identify::is_rescuer() ? journal.closing_margin / 2 : journal.closing_margin;
    bool const failure = type == EntryType::kFailure || type == EntryType::kLoginFailed;
    return failure ? journal.closing_margin / 2 : 0;
}

[[gnu::hot]] std::uint64_t put(EntryWriter& entry, const RingPlace& place, std::size_t length) noexcept {
    std::uint8_t* const bytes = entry.data();
    seal_at(bytes, entry.partial_crc(), place.position);
    std::memcpy(place.entry(), bytes, length);
    std::uint64_t const end = place.position + kCommitWordSize + length;
    publish_entry(place, end);
    return end;
}

// Neither waits nor raises.
std::uint64_t append_closing(Shared& journal, EntryWriter& entry, std::size_t length) noexcept {
    auto const type = static_cast<EntryType>(entry.data()[kTypeAt]);
    std::uint64_t const margin = margin_for(journal, Room::kClosing, type);
    RingPlace place;
    if (ring().reserve(journal.tail, kCommitWordSize + length, margin, place)) return put(entry, place, length);
    return lose_entry();
}

// The ring had no room at first sight, or the journal has failed.
std::uint64_t append_ordinary(Shared& journal, EntryWriter& entry, std::size_t length) {
    std::uint64_t const needed = kCommitWordSize + length;
    std::uint64_t const margin = margin_for(journal, Room::kOrdinary, EntryType::kStatement);
    if (needed + margin > ring().size())
        return refuse(journal, ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the statement is too long to be recorded",
                      nullptr);
    journal.waits.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
        if (journal.fault.load(std::memory_order_relaxed) != 0) return refuse_fault(journal);
        RingPlace place;
        if (ring().reserve(journal.tail, needed, margin, place)) return put(entry, place, length);
        if (journal.alone)
            recover_in_place();
        else if (!wait_for_room(journal))
            return refuse_full(journal);
    }
}

}  // namespace

[[gnu::hot]] void publish_entry(const RingPlace& place, std::uint64_t end) noexcept {
    const Ring& data = ring();
    Ring::publish(place);
    // Ordered after the reservation in `tail`, which the sealer reads after it has set `asleep`.
    if (shared()->asleep.load(std::memory_order_seq_cst) != 0 || end - data.copied() > data.size() / 4)
        wake_sealer();
}

std::uint64_t lose_entry() noexcept {
    wake_sealer();
    count_loss(*shared());
    return 0;
}

[[gnu::hot]] std::uint64_t append(EntryWriter& entry, Room room) {
    Shared* const journal = shared();
    if (journal == nullptr || !journal->recording) return 0;
    std::size_t const length = entry.finish(journal->identity.nonce);
    if (length == 0) {
        if (room == Room::kClosing) return lose_entry();
        return refuse(*journal, ERRCODE_INTERNAL_ERROR, "an entry of the journal was malformed or too long",
                      nullptr);
    }
    RingPlace place;
    if (journal->fault.load(std::memory_order_relaxed) == 0 &&
        ring().reserve(journal->tail, kCommitWordSize + length, journal->closing_margin, place)) [[likely]]
        return put(entry, place, length);
    return room == Room::kClosing ? append_closing(*journal, entry, length)
                                  : append_ordinary(*journal, entry, length);
}

[[gnu::hot]] std::uint64_t tail() noexcept {
    Shared* const journal = shared();
    return journal == nullptr ? 0 : journal->tail.load(std::memory_order_acquire);
}

}  // namespace hoopguard::record
