// The ring: a mapped file that holds what is accepted and not yet in a segment, and that the kernel keeps
// whatever process dies. The data is mapped twice, back to back, so that no entry straddles its end.
//
// Any process appends: reserve a place, copy, publish. One process, the sealer, drains in order. A place is
// published by a store of its position with the low bit set; positions never repeat within an origin, so a
// word left over from an earlier lap is never taken for a new one and nothing needs zeroing in between.
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
inline constexpr std::uint64_t kRingSize = 32u << 20;
inline constexpr std::size_t kRingHeaderSize = 4096;
inline constexpr std::size_t kRingDataAt = 65536;
inline constexpr std::size_t kRingCopiedAt = 256;   // u64, live: all before it is in segments
inline constexpr std::size_t kRingDurableAt = 320;  // u64, live: all before it is durable in segments
inline constexpr std::size_t kRingLostAt = 384;     // u64, live: entries not accepted, and not told yet
inline constexpr std::uint32_t kRingVersion = 1;

// What the header says once and for all.
struct RingIdentity {
    OriginId origin = {};
    std::uint64_t system = 0;  // PostgreSQL's system identifier
    std::uint64_t nonce = 0;   // seeds every entry's CRC
    std::uint64_t size = kRingSize;
    std::uint64_t inode = 0;    // of the ring file itself: a copy has another
    std::uint64_t born = 0;     // likewise, nanoseconds; 0 when the file system keeps none
    std::uint64_t created = 0;  // nanoseconds since 1970-01-01 UTC
};

// Fills kRingHeaderSize bytes; both live positions are `position`.
void encode_ring_header(const RingIdentity& identity, std::uint64_t position, std::uint8_t* header) noexcept;
// Fails on a wrong magic, a version from the future, a wrong checksum or an impossible size.
base::Result<RingIdentity> decode_ring_header(const std::uint8_t* header);

// Trivially destroyed, so that it may be a process's global: unmap() is the owner's to call.
class Ring {
 public:
    Ring() noexcept = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // Maps a ring file of `size` data bytes; the descriptor may be closed afterwards. 0 or errno.
    int map(int descriptor, std::uint64_t size) noexcept;
    void unmap() noexcept;
    bool mapped() const noexcept { return data_ != nullptr; }
    std::uint64_t size() const noexcept { return size_; }

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
    // bytes to spare. Sets `position`; on false, `position` is the tail that was too near.
    bool reserve(std::atomic<std::uint64_t>& tail, std::uint64_t needed, std::uint64_t margin,
                 std::uint64_t& position) const noexcept {
        position = tail.load(std::memory_order_relaxed);
        do {
            if (position + needed + margin > copied() + size_) return false;
        } while (!tail.compare_exchange_weak(position, position + needed, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
        return true;
    }
    // Where the commit word of `position` is; the entry follows it.
    std::uint8_t* at(std::uint64_t position) const noexcept { return data_ + position % size_; }
    void publish(std::uint64_t position) noexcept {
        word(position).store(position | 1, std::memory_order_release);
    }
    bool published(std::uint64_t position) const noexcept {
        return word(position).load(std::memory_order_acquire) == (position | 1);
    }

 private:
    static_assert(std::endian::native == std::endian::little, "live words are stored as the processor has them");
    std::atomic_ref<std::uint64_t> live(std::size_t offset) const noexcept {
        return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(header_ + offset));
    }
    std::atomic_ref<std::uint64_t> word(std::uint64_t position) const noexcept {
        return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at(position)));
    }

    std::uint8_t* header_ = nullptr;
    std::uint8_t* data_ = nullptr;
    std::uint64_t size_ = 0;
};

}  // namespace hoopguard::record
