// The ring: a mapped file that holds what is accepted and not yet in a segment, and that the kernel keeps
// whatever process dies.
//
// Any process appends: reserve a place, copy, publish. One process, the sealer, drains in order. A place is
// published by a store of its position with the low bit set; positions never repeat within an origin, so a
// word left over from an earlier lap is never taken for a new one and nothing needs zeroing in between.
//
// The data has two parts, each gone round by itself. While the sealer keeps up, everything goes into the near one:
// few pages, written over and over, that a process has soon mapped and that stay in the processor's caches. Only
// what the sealer is too far behind for goes into the far one, which has room for a long stall. A position's place
// is free in a part while everything a lap of that part before it has been copied; a reader looks in both.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "record/segment.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hoopguard::record {

// The ring file: one header, then the data. The data begins where every page size up to 64 KiB allows mapping.
inline constexpr std::uint64_t kRingSize = 32u << 20;  // the far part
inline constexpr std::uint64_t kNearSize = 1u << 20;
inline constexpr std::size_t kRingHeaderSize = 4096;
inline constexpr std::size_t kRingDataAt = 65536;
inline constexpr std::size_t kRingCopiedAt = 256;   // u64, live: all before it is in segments
inline constexpr std::size_t kRingDurableAt = 320;  // u64, live: all before it is durable in segments
inline constexpr std::size_t kRingLostAt = 384;     // u64, live: entries not accepted, and not told yet
inline constexpr std::uint32_t kRingVersion = 2;    // 1 had no near part

// What the header says once and for all.
struct RingIdentity {
    OriginId origin = {};
    std::uint64_t system = 0;        // PostgreSQL's system identifier
    std::uint64_t nonce = 0;         // seeds every entry's CRC
    std::uint64_t size = kRingSize;  // of the far part
    std::uint64_t near = kNearSize;  // of the near part, whose data follows; 0: there is none
    std::uint64_t inode = 0;         // of the ring file itself: a copy has another
    std::uint64_t born = 0;          // likewise, nanoseconds; 0 when the file system keeps none
    std::uint64_t created = 0;       // nanoseconds since 1970-01-01 UTC

    std::uint64_t near_at() const noexcept { return kRingDataAt + size; }  // offset of the near part's data
    std::uint64_t file_size() const noexcept { return near_at() + near; }
};

// Fills kRingHeaderSize bytes; both live positions are `position`.
void encode_ring_header(const RingIdentity& identity, std::uint64_t position, std::uint8_t* header) noexcept;
// Fails on a wrong magic, a version from the future, a wrong checksum or an impossible size.
base::Result<RingIdentity> decode_ring_header(const std::uint8_t* header);

// A part of the ring's data, mapped twice, back to back, so that no entry straddles its end.
struct RingPart {
    std::uint8_t* data = nullptr;
    std::uint64_t size = 0;

    std::uint8_t* at(std::uint64_t position) const noexcept { return data + position % size; }
    // Of data that begins at `offset` of the file. 0 or errno; on error nothing stays mapped.
    int map(int descriptor, std::uint64_t offset, std::uint64_t bytes) noexcept;
    void unmap() noexcept;
};

// A place that was reserved: its commit word; the entry follows it.
struct RingPlace {
    std::uint64_t position = 0;
    std::uint8_t* word = nullptr;

    std::uint8_t* entry() const noexcept { return word + kCommitWordSize; }
};

// Trivially destroyed, so that it may be a process's global: unmap() is the owner's to call.
class Ring {
 public:
    Ring() noexcept = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // Maps a ring file; the descriptor may be closed afterwards. 0 or errno.
    int map(int descriptor, const RingIdentity& identity) noexcept;
    void unmap() noexcept;
    bool mapped() const noexcept { return header_ != nullptr; }
    std::uint64_t size() const noexcept { return far_.size; }
    const RingPart& near() const noexcept { return near_; }
    const RingPart& far() const noexcept { return far_; }

    std::uint64_t copied() const noexcept { return live(kRingCopiedAt).load(std::memory_order_acquire); }
    void set_copied(std::uint64_t position) noexcept {
        live(kRingCopiedAt).store(position, std::memory_order_release);
    }
    std::uint64_t durable() const noexcept { return live(kRingDurableAt).load(std::memory_order_acquire); }
    void set_durable(std::uint64_t position) noexcept {
        live(kRingDurableAt).store(position, std::memory_order_release);
    }
    // Entries that could not be accepted and that no loss entry has told yet. Here, because it outlives a restart.
    std::uint64_t lost() const noexcept { return live(kRingLostAt).load(std::memory_order_relaxed); }
    void add_lost() noexcept { live(kRingLostAt).fetch_add(1, std::memory_order_relaxed); }
    void told_lost(std::uint64_t count) noexcept { live(kRingLostAt).fetch_sub(count, std::memory_order_relaxed); }

    // Takes `needed` bytes (commit word included, a multiple of 8) behind `tail` when they fit with `margin`
    // bytes to spare.
    bool reserve(std::atomic<std::uint64_t>& tail, std::uint64_t needed, std::uint64_t margin,
                 RingPlace& place) const noexcept {
        std::uint64_t position = tail.load(std::memory_order_relaxed);
        std::uint64_t drained;
        do {
            drained = copied();
            if (position + needed + margin > drained + far_.size) return false;
        } while (!tail.compare_exchange_weak(position, position + needed, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
        bool const near = position + needed <= drained + near_.size;
        place = {position, (near ? near_ : far_).at(position)};
        return true;
    }
    static void publish(const RingPlace& place) noexcept {
        word(place.word).store(place.position | 1, std::memory_order_release);
    }
    // The entry that is published at `position`; null: none is.
    std::uint8_t* published(std::uint64_t position) const noexcept {
        for (const RingPart* const part : {&near_, &far_}) {
            if (part->size == 0) continue;
            std::uint8_t* const place = part->at(position);
            if (word(place).load(std::memory_order_acquire) == (position | 1)) return place + kCommitWordSize;
        }
        return nullptr;
    }

 private:
    static_assert(std::endian::native == std::endian::little, "live words are stored as the processor has them");
    std::atomic_ref<std::uint64_t> live(std::size_t offset) const noexcept {
        return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(header_ + offset));
    }
    static std::atomic_ref<std::uint64_t> word(std::uint8_t* place) noexcept {
        return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(place));
    }

    std::uint8_t* header_ = nullptr;
    RingPart near_;
    RingPart far_;
};

}  // namespace hoopguard::record
