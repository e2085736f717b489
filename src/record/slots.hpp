// Slots: short reads that have begun and are not on record as begun yet, one slot for each process.
//
// A start and an outcome each cost an entry, and for a short read that is most of what recording costs. So its
// start is written into the slot of its process instead, in a mapped file that the kernel keeps whatever process
// dies, and becomes one entry with its outcome when it ends (kFlagWhole). What goes on for long, and what is
// followed by another entry of its session, is put on record as it stands, with an outcome to follow. What a dead
// process leaves here recovery puts on record.
//
// Whoever takes a slot from open to claimed moves it, alone: its own process when the statement ends, the sealer
// or a reader before. The word of a slot says how far that is, so that recovery neither loses nor doubles an entry
// at whatever instruction a process dies.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "record/files.hpp"
#include "record/ring.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hoopguard::record {

// The file: one header of a slot's size, then the slots.
inline constexpr std::size_t kSlotSize = 4096;
inline constexpr std::size_t kSlotEntryAt = 64;  // offset of the entry within a slot
inline constexpr std::size_t kSlotRoom = kSlotSize - kSlotEntryAt;
inline constexpr std::uint32_t kSlotsVersion = 1;

// The low three bits of a slot's word; the rest is a position for kMoving and kMoved, and 0 otherwise.
enum class SlotState : std::uint8_t {
    kIdle = 0,     // holds nothing
    kOpen = 1,     // holds a statement entry that has neither position nor CRC yet
    kClaimed = 2,  // somebody is about to reserve a place in the ring for it
    kMoving = 3,   // its place is the position; published there, or not
    kMoved = 4,    // it is on record as begun
};

// One slot where it is mapped.
class alignas(64) Slot {
 public:
    SlotState state() const noexcept { return static_cast<SlotState>(word_.load(std::memory_order_acquire) & 7); }
    // Where its process writes while it is idle.
    std::span<std::uint8_t> room() noexcept {
        return {reinterpret_cast<std::uint8_t*>(this) + kSlotEntryAt, kSlotRoom};
    }
    // A statement entry that EntryWriter::close() has closed.
    std::uint8_t* entry() noexcept { return reinterpret_cast<std::uint8_t*>(this) + kSlotEntryAt; }
    // Bytes of the payload before the place of the outcome's fields; set before open().
    std::uint32_t front() const noexcept { return front_; }
    void set_front(std::uint32_t bytes) noexcept { front_ = bytes; }
    // When it was opened, by the steady clock; what another process reads may be an earlier statement's.
    std::uint64_t opened_at() const noexcept { return opened_at_.load(std::memory_order_relaxed); }

    // Ordered before what its process reads next, so that a sealer about to sleep sees it, or is seen.
    void open(std::uint64_t now) noexcept {
        opened_at_.store(now, std::memory_order_relaxed);
        word_.store(static_cast<std::uint64_t>(SlotState::kOpen), std::memory_order_seq_cst);
    }
    bool claim() noexcept {
        auto expected = static_cast<std::uint64_t>(SlotState::kOpen);
        return word_.compare_exchange_strong(expected, static_cast<std::uint64_t>(SlotState::kClaimed),
                                             std::memory_order_seq_cst);
    }
    void set(SlotState state, std::uint64_t position = 0) noexcept {
        word_.store(position | static_cast<std::uint64_t>(state), std::memory_order_release);
    }

 private:
    std::atomic<std::uint64_t> word_;
    std::atomic<std::uint64_t> opened_at_;
    std::uint32_t front_;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(Slot) <= kSlotEntryAt);

// The mapped file. Trivially destroyed, so that it may be a process's global: unmap() is the owner's to call.
class Slots {
 public:
    Slots() noexcept = default;
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    // Maps a file that make_slots() made. 0 or errno.
    int map(int descriptor, std::uint32_t count) noexcept;
    void unmap() noexcept;
    std::uint32_t count() const noexcept { return count_; }
    Slot& operator[](std::uint32_t at) noexcept {
        return *reinterpret_cast<Slot*>(file_ + (std::size_t{1} + at) * kSlotSize);
    }

 private:
    std::uint8_t* file_ = nullptr;
    std::uint32_t count_ = 0;
};

// <journal directory>/running
std::string slots_path(const std::string& journal_directory);

// Makes the file anew, all slots idle, for the origin; blocks allocated, so that no store meets a full disk. Fails
// with the path and the reason.
base::Result<OpenFile> make_slots(Files& files, const std::string& path, const RingIdentity& identity,
                                  std::uint32_t count);

// What a server that died left in its slots, for recovery.
struct LeftOpen {
    std::size_t slot = 0;
    SlotState state = SlotState::kOpen;
    std::uint64_t position = 0;  // of kMoving and kMoved
    base::Bytes entry;           // closed, without position and CRC
};

// The slots that are not idle, in their order. None when there is no file, or one of another origin, version or
// boot of the operating system: such a file is no fault. What a slot held when the operating system died was not
// durable, and promised to nobody.
base::Result<std::vector<LeftOpen>> read_slots(Files& files, const std::string& path,
                                               const RingIdentity& identity);

// Notes where each of `left` has been put, which is what recovery would find if it had to begin again. 0 or errno.
int mark_moved(Files& files, const std::string& path, const std::vector<LeftOpen>& left) noexcept;

}  // namespace hoopguard::record
