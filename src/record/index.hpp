// The sparse index beside a segment: for each run of entries where it lies, its times and its sessions.
// Derived data: whoever reads it must cope with none, a short one or a wrong one, and rescan.
#pragma once

#include "base/bytes.hpp"
#include "record/entry.hpp"

#include <string>
#include <vector>

namespace hoopguard::record {

// Entries that begin in the same 64 KiB of the segment file form a run, unless a stop of the server parts it.
inline constexpr std::uint64_t kIndexBlockSize = 64u << 10;

// A record is these fields, then its sessions. Offsets within the record:
inline constexpr std::size_t kIndexLengthAt = 0;          // u32: whole record
inline constexpr std::size_t kIndexCrcAt = 4;             // u32: CRC-32C over the nonce and all that follows
inline constexpr std::size_t kIndexOffsetAt = 8;          // u64: file offset of the first entry
inline constexpr std::size_t kIndexFirstPositionAt = 16;  // u64
inline constexpr std::size_t kIndexFirstIndexAt = 24;     // u64: leaf index
inline constexpr std::size_t kIndexEntriesAt = 32;        // u32
inline constexpr std::size_t kIndexMinTimeAt = 36;        // u64
inline constexpr std::size_t kIndexMaxTimeAt = 44;        // u64
inline constexpr std::size_t kIndexSessionCountAt = 52;   // u32
inline constexpr std::size_t kIndexSessionsAt = 56;       // u64 each, ascending, each once

// What a record says, gathered entry by entry.
class IndexRun {
 public:
    // The run begins with this entry when it is empty.
    void add(std::uint64_t offset, std::uint64_t index, const EntryView& entry);
    void clear() noexcept { entries_ = 0; }
    bool empty() const noexcept { return entries_ == 0; }
    std::uint64_t offset() const noexcept { return offset_; }
    std::uint32_t entries() const noexcept { return entries_; }
    // Appends the record.
    void encode(std::uint64_t nonce, base::Bytes& out) const;

 private:
    std::uint64_t offset_ = 0;
    std::uint64_t first_position_ = 0;
    std::uint64_t first_index_ = 0;
    std::uint32_t entries_ = 0;
    std::uint64_t min_time_ = 0;
    std::uint64_t max_time_ = 0;
    std::uint64_t last_session_ = 0;
    std::vector<std::uint64_t> sessions_;  // ascending
};

// Writes a segment's index while the segment is written.
class IndexBuilder {
 public:
    explicit IndexBuilder(std::uint64_t nonce) noexcept : nonce_(nonce) {}

    // An entry at this offset of the segment file. Appends the record of the run before to `out` when this
    // entry begins a new one.
    void add(std::uint64_t offset, std::uint64_t index, const EntryView& entry, base::Bytes& out);
    // The segment is sealed or the server stops: appends the record of what has gathered, if anything has.
    void flush(base::Bytes& out);

 private:
    std::uint64_t nonce_;
    IndexRun run_;
};

// One record of an index in memory. Refers to the bytes, owns nothing.
class IndexRecord {
 public:
    explicit IndexRecord(const std::uint8_t* at) noexcept : at_(at) {}

    base::ByteView bytes() const noexcept { return {at_, base::get_u32(at_ + kIndexLengthAt)}; }
    std::uint64_t offset() const noexcept { return base::get_u64(at_ + kIndexOffsetAt); }
    std::uint64_t first_position() const noexcept { return base::get_u64(at_ + kIndexFirstPositionAt); }
    std::uint64_t first_index() const noexcept { return base::get_u64(at_ + kIndexFirstIndexAt); }
    std::uint32_t entries() const noexcept { return base::get_u32(at_ + kIndexEntriesAt); }
    std::uint64_t min_time() const noexcept { return base::get_u64(at_ + kIndexMinTimeAt); }
    std::uint64_t max_time() const noexcept { return base::get_u64(at_ + kIndexMaxTimeAt); }
    bool has_session(std::uint64_t session) const noexcept;

 private:
    const std::uint8_t* at_;
};

// The sound records at the start of an index file.
struct IndexContents {
    std::vector<IndexRecord> records;  // refer to the file's bytes
    std::uint64_t sound = 0;           // bytes that they take up
    std::string fault;                 // why what follows is none; empty when nothing follows
    bool cut = false;                  // because the file ends within a record
};
IndexContents read_index(base::ByteView file, std::uint64_t nonce);

}  // namespace hoopguard::record
