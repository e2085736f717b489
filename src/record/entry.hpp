// One entry of the journal: writing it in a few dozen nanoseconds, reading it with no trust in it.
// Writing is split in two, because all but the position is known before a place is reserved:
// EntryWriter fills a buffer of the caller's and sums it; seal_at() adds the position.
#pragma once

#include "base/bytes.hpp"
#include "record/cbor.hpp"
#include "record/format.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace hoopguard::record {

// What every entry says outside its payload. Fields as in format.hpp.
struct EntryHead {
    EntryType type = EntryType::kStatement;
    std::uint16_t flags = 0;
    std::uint64_t time = 0;  // nanoseconds since 1970-01-01 UTC
    std::uint64_t session = 0;
    std::uint64_t session_sequence = 0;
    std::uint32_t database = 0;
    std::uint32_t login_role = 0;
    std::uint32_t effective_role = 0;
};

// Writes one entry; fields must come in ascending order of their keys, each once.
// A broken order and a buffer too small both show as finish() == 0, and nothing is written past the buffer.
class EntryWriter {
 public:
    // The buffer is the caller's; alignment does not matter.
    EntryWriter(std::span<std::uint8_t> buffer, const EntryHead& head) noexcept : cbor_(buffer) { begin(head); }
    // Appends the entry to a vector, for writers that are not in a hurry.
    EntryWriter(base::Bytes& out, const EntryHead& head) noexcept : cbor_(out) { begin(head); }

    [[gnu::hot]] void add_uint(Field field, std::uint64_t value) noexcept { key(field).unsigned_number(value); }
    void add_int(Field field, std::int64_t value) noexcept { key(field).number(value); }
    void add_bool(Field field, bool value) noexcept { key(field).boolean(value); }
    [[gnu::hot]] void add_text(Field field, std::string_view value) noexcept { key(field).text(value); }
    void add_bytes(Field field, base::ByteView value) noexcept { key(field).bytes(value); }
    [[gnu::hot]] void add_texts(Field field, std::span<const std::string_view> values) noexcept {
        CborWriter& cbor = key(field);
        cbor.array(values.size());
        for (const std::string_view value : values) cbor.text(value);
    }
    // Fields that were written before, in their order, `last` being the last of `count`.
    void add_encoded(base::ByteView encoded, Field last, unsigned count) noexcept {
        last_field_ = static_cast<int>(last);
        count_ += count;
        cbor_.raw(encoded);
    }
    // An array whose `count` elements the caller writes next.
    CborWriter& add_array(Field field, std::uint64_t count) noexcept {
        key(field).array(count);
        return cbor_;
    }

    // Whether all that was added so far has its place.
    bool fits() const noexcept { return cbor_.ok(); }
    // Bytes of payload so far; the map's head, which is one byte for up to 23 fields, is the first.
    base::ByteView payload() noexcept { return {cbor_.data() + kEntryHeaderSize, payload_size()}; }
    std::size_t payload_size() const noexcept { return cbor_.size() - kEntryHeaderSize; }
    unsigned fields() const noexcept { return count_; }
    Field last_field() const noexcept { return static_cast<Field>(last_field_); }
    // Pads and fills in lengths. Returns the entry's length, or 0 when it did not fit, its fields were out of
    // order or it is longer than kMaxEntrySize.
    std::size_t close() noexcept;
    // close(), and sums all but the position.
    std::size_t finish(std::uint64_t nonce) noexcept;
    // After finish(): what seal_at() needs.
    std::uint32_t partial_crc() const noexcept { return partial_crc_; }
    std::uint8_t* data() noexcept { return cbor_.data(); }

 private:
    void begin(const EntryHead& head) noexcept;
    CborWriter& key(Field field) noexcept {
        if (static_cast<int>(field) <= last_field_) cbor_.spoil();
        last_field_ = static_cast<int>(field);
        ++count_;
        cbor_.unsigned_number(static_cast<std::uint64_t>(field));
        return cbor_;
    }

    CborWriter cbor_;
    int last_field_ = -1;
    unsigned count_ = 0;
    std::uint32_t partial_crc_ = 0;
};

// Writes the position into a finished entry and completes its CRC.
void seal_at(std::uint8_t* entry, std::uint32_t partial_crc, std::uint64_t position) noexcept;
// The same for an entry that is closed, and not summed yet.
void seal_closed(std::uint8_t* entry, std::uint64_t nonce, std::uint64_t position) noexcept;

// A statement's start and outcome as one entry (kFlagWhole). `start` is closed and has no more than 23 fields with
// those of the outcome; `front` bytes of its payload precede the outcome's fields, which are `count` of `fields`.
struct WholeEntry {
    const std::uint8_t* start;
    std::uint32_t front;
    base::ByteView fields;
    unsigned count;

    std::size_t length() const noexcept;
    // Writes length() bytes, sealed. They may not overlap the start.
    void write(std::uint8_t* to, std::uint64_t nonce, std::uint64_t position) const noexcept;
};
inline constexpr unsigned kMostWholeFields = 23;

enum class EntryFault : std::uint8_t {
    kNone,
    kNoEntry,    // the length word is zero: here the written part ends
    kTruncated,  // the bytes end before the entry does
    kLength,     // not a multiple of 8, below the header or above kMaxEntrySize, or not what the payload needs
    kCrc,
    kPadding,   // bytes after the payload are not zero
    kReserved,  // the reserved word is not zero
    kVersion,   // written by a version from the future
    kPayload,   // not one map in deterministic CBOR with ascending keys
};

// A few words, to stand after "entry 7 at offset 4096: ".
const char* describe(EntryFault fault) noexcept;

// Judges the entry at the start of `bytes`, which may go on after it: length, CRC, padding, version; not
// the payload. Allocates nothing, so that recovery can use it. kVersion only with a CRC that holds.
EntryFault check_entry(base::ByteView bytes, std::uint64_t nonce) noexcept;

// Judges the payload of an entry that check_entry() found sound.
EntryFault check_payload(base::ByteView payload) noexcept;

// An entry that check_entry() found sound. Refers to the bytes, owns nothing.
class EntryView {
 public:
    EntryView() noexcept = default;
    explicit EntryView(const std::uint8_t* entry) noexcept : entry_(entry) {}

    base::ByteView bytes() const noexcept { return {entry_, length()}; }
    std::uint32_t length() const noexcept { return base::get_u32(entry_ + kLengthAt); }
    std::uint64_t position() const noexcept { return base::get_u64(entry_ + kPositionAt); }
    EntryType type() const noexcept { return static_cast<EntryType>(entry_[kTypeAt]); }
    std::uint16_t flags() const noexcept { return base::get_u16(entry_ + kFlagsAt); }
    bool has(EntryFlag flag) const noexcept { return (flags() & flag) != 0; }
    std::uint64_t time() const noexcept { return base::get_u64(entry_ + kTimeAt); }
    std::uint64_t session() const noexcept { return base::get_u64(entry_ + kSessionAt); }
    std::uint64_t session_sequence() const noexcept { return base::get_u64(entry_ + kSessionSequenceAt); }
    std::uint32_t database() const noexcept { return base::get_u32(entry_ + kDatabaseAt); }
    std::uint32_t login_role() const noexcept { return base::get_u32(entry_ + kLoginRoleAt); }
    std::uint32_t effective_role() const noexcept { return base::get_u32(entry_ + kEffectiveRoleAt); }
    base::ByteView payload() const noexcept {
        return {entry_ + kEntryHeaderSize, base::get_u32(entry_ + kPayloadLengthAt)};
    }

    // Where the stream goes on: the position that the next entry must have.
    // After a gap that is the gap's end, whatever the length of the gap's own entry.
    std::uint64_t next_position() const noexcept;

    // A payload field by its key; nothing when it is absent or of another type.
    std::optional<std::uint64_t> uint(Field field) const noexcept;
    std::optional<std::int64_t> integer(Field field) const noexcept;
    std::optional<bool> boolean(Field field) const noexcept;
    // The bytes of a text; of a byte string too, which stands for text that is not UTF-8.
    std::optional<std::string_view> text(Field field) const noexcept;
    std::optional<base::ByteView> bytes(Field field) const noexcept;
    // A reader before the first of an array's elements, and how many there are.
    struct Array {
        std::uint64_t count = 0;
        CborReader elements{{}};
    };
    std::optional<Array> array(Field field) const noexcept;

 private:
    const std::uint8_t* entry_ = nullptr;
};

// The fields of a payload in order, with the reader left before each value.
class FieldCursor {
 public:
    explicit FieldCursor(base::ByteView payload) noexcept;
    // Moves to the next field, passing over the value of this one when it was not read. False at the end.
    bool next() noexcept;
    // The key; may be one that this version has no name for.
    std::uint64_t key() const noexcept { return key_; }
    // A reader that stands before the value.
    CborReader value() const noexcept { return reader_; }

 private:
    CborReader reader_;
    std::uint64_t left_ = 0;
    std::uint64_t key_ = 0;
    bool before_value_ = false;
};

inline FieldCursor::FieldCursor(base::ByteView payload) noexcept : reader_(payload) {
    CborItem item;
    if (reader_.next(item) && item.major == CborMajor::kMap) left_ = item.value;
}

inline bool FieldCursor::next() noexcept {
    if (before_value_ && !reader_.skip()) left_ = 0;
    before_value_ = false;
    CborItem item;
    if (left_ == 0 || !reader_.next(item) || item.major != CborMajor::kUnsigned) {
        left_ = 0;
        return false;
    }
    --left_;
    key_ = item.value;
    return before_value_ = true;
}

}  // namespace hoopguard::record
