// One entry of the journal: writing and reading. doc/journal_format.md defines the bytes.
#include "record/entry.hpp"

#include "base/crc32c.hpp"

namespace hoopguard::record {
namespace {

constexpr std::size_t align_entry(std::size_t size) noexcept {
    return (size + kEntryAlignment - 1) / kEntryAlignment * kEntryAlignment;
}

// The CRC over all that it covers before a position is known.
std::uint32_t partial_crc_of(const std::uint8_t* entry, std::size_t length, std::uint64_t nonce) noexcept {
    return base::crc32c_extend(base::crc32c_extend_number(0, nonce), {entry + kVersionAt, length - kVersionAt});
}

constexpr std::uint8_t kZeros[kEntryHeaderSize] = {};

}  // namespace

[[gnu::hot]] void EntryWriter::begin(const EntryHead& head) noexcept {
    // One byte for the map's head, which is written when the fields have been counted.
    cbor_.raw({kZeros, kEntryHeaderSize});
    cbor_.raw({kZeros, 1});
    if (!cbor_.ok()) return;
    std::uint8_t* const entry = cbor_.data();
    entry[kVersionAt] = kEntryVersion;
    entry[kTypeAt] = static_cast<std::uint8_t>(head.type);
    base::put_u16(entry + kFlagsAt, head.flags);
    base::put_u64(entry + kTimeAt, head.time);
    base::put_u64(entry + kSessionAt, head.session);
    base::put_u64(entry + kSessionSequenceAt, head.session_sequence);
    base::put_u32(entry + kDatabaseAt, head.database);
    base::put_u32(entry + kLoginRoleAt, head.login_role);
    base::put_u32(entry + kEffectiveRoleAt, head.effective_role);
}

[[gnu::hot]] std::size_t EntryWriter::close() noexcept {
    constexpr std::uint8_t kMapType = static_cast<std::uint8_t>(CborMajor::kMap) << 5;
    if (count_ > 23) cbor_.raw({kZeros, 1});
    std::size_t size = cbor_.size();
    cbor_.raw({kZeros, align_entry(size) - size});
    if (!cbor_.ok() || count_ > 255 || cbor_.size() > kMaxEntrySize) {
        cbor_.spoil();
        cbor_.trim();
        return 0;
    }
    cbor_.trim();
    std::uint8_t* const entry = cbor_.data();
    std::uint8_t* const map = entry + kEntryHeaderSize;
    if (count_ > 23) {
        std::memmove(map + 2, map + 1, size - kEntryHeaderSize - 2);
        map[0] = kMapType | 24;
        map[1] = static_cast<std::uint8_t>(count_);
    } else {
        map[0] = static_cast<std::uint8_t>(kMapType | count_);
    }
    const std::size_t length = cbor_.size();
    base::put_u32(entry + kLengthAt, static_cast<std::uint32_t>(length));
    base::put_u32(entry + kPayloadLengthAt, static_cast<std::uint32_t>(size - kEntryHeaderSize));
    return length;
}

[[gnu::hot]] std::size_t EntryWriter::finish(std::uint64_t nonce) noexcept {
    std::size_t const length = close();
    if (length != 0) partial_crc_ = partial_crc_of(data(), length, nonce);
    return length;
}

[[gnu::hot]] void seal_at(std::uint8_t* entry, std::uint32_t partial_crc, std::uint64_t position) noexcept {
    base::put_u64(entry + kPositionAt, position);
    base::put_u32(entry + kCrcAt, base::crc32c_extend_number(partial_crc, position));
}

[[gnu::hot]] void seal_closed(std::uint8_t* entry, std::uint64_t nonce, std::uint64_t position) noexcept {
    seal_at(entry, partial_crc_of(entry, base::get_u32(entry + kLengthAt), nonce), position);
}

std::size_t WholeEntry::length() const noexcept {
    return align_entry(kEntryHeaderSize + base::get_u32(start + kPayloadLengthAt) + fields.size());
}

[[gnu::hot]] void WholeEntry::write(std::uint8_t* to, std::uint64_t nonce, std::uint64_t position) const noexcept {
    std::size_t const begun = base::get_u32(start + kPayloadLengthAt);
    std::size_t const payload = begun + fields.size();
    std::uint8_t* at = to;
    std::memcpy(at, start, kEntryHeaderSize + front);
    at += kEntryHeaderSize + front;
    std::memcpy(at, fields.data(), fields.size());
    at += fields.size();
    std::memcpy(at, start + kEntryHeaderSize + front, begun - front);
    std::memset(to + kEntryHeaderSize + payload, 0, length() - kEntryHeaderSize - payload);
    to[kEntryHeaderSize] = static_cast<std::uint8_t>(to[kEntryHeaderSize] + count);
    base::put_u16(to + kFlagsAt, static_cast<std::uint16_t>(base::get_u16(to + kFlagsAt) | kFlagWhole));
    base::put_u32(to + kLengthAt, static_cast<std::uint32_t>(length()));
    base::put_u32(to + kPayloadLengthAt, static_cast<std::uint32_t>(payload));
    seal_closed(to, nonce, position);
}

const char* describe(EntryFault fault) noexcept {
    switch (fault) {
        case EntryFault::kNone: return "sound";
        case EntryFault::kNoEntry: return "no entry here";
        case EntryFault::kTruncated: return "the file ends within the entry";
        case EntryFault::kLength: return "impossible length";
        case EntryFault::kCrc: return "checksum mismatch";
        case EntryFault::kPadding: return "padding is not zero";
        case EntryFault::kReserved: return "reserved bytes are not zero";
        case EntryFault::kVersion: return "format version not known to this program; use a newer one";
        case EntryFault::kPayload: return "payload is not a map in deterministic CBOR";
    }
    return "unknown fault";
}

EntryFault check_entry(base::ByteView bytes, std::uint64_t nonce) noexcept {
    if (bytes.size() < 4) return EntryFault::kTruncated;
    const std::uint8_t* const entry = bytes.data();
    const std::size_t length = base::get_u32(entry + kLengthAt);
    if (length == 0) return EntryFault::kNoEntry;
    if (length % kEntryAlignment != 0 || length <= kEntryHeaderSize || length > kMaxEntrySize)
        return EntryFault::kLength;
    if (length > bytes.size()) return EntryFault::kTruncated;
    const std::uint32_t crc =
        base::crc32c_extend_number(partial_crc_of(entry, length, nonce), base::get_u64(entry + kPositionAt));
    if (crc != base::get_u32(entry + kCrcAt)) return EntryFault::kCrc;
    if (entry[kVersionAt] != kEntryVersion) return EntryFault::kVersion;
    const std::size_t used = kEntryHeaderSize + std::size_t{base::get_u32(entry + kPayloadLengthAt)};
    if (align_entry(used) != length) return EntryFault::kLength;
    for (std::size_t i = used; i < length; ++i)
        if (entry[i] != 0) return EntryFault::kPadding;
    if (base::get_u32(entry + kReservedAt) != 0) return EntryFault::kReserved;
    return EntryFault::kNone;
}

EntryFault check_payload(base::ByteView payload) noexcept {
    CborReader reader(payload);
    CborItem item;
    if (!reader.next(item) || item.major != CborMajor::kMap) return EntryFault::kPayload;
    std::uint64_t next_key = 0;
    for (std::uint64_t left = item.value; left > 0; --left) {
        if (!reader.next(item) || item.major != CborMajor::kUnsigned || item.value < next_key ||
            item.value == ~std::uint64_t{0} || !reader.skip())
            return EntryFault::kPayload;
        next_key = item.value + 1;
    }
    return reader.at_end() ? EntryFault::kNone : EntryFault::kPayload;
}

namespace {

// A reader before the field's value.
std::optional<CborReader> find(base::ByteView payload, Field field) noexcept {
    FieldCursor fields(payload);
    while (fields.next()) {
        if (fields.key() == static_cast<std::uint64_t>(field)) return fields.value();
        if (fields.key() > static_cast<std::uint64_t>(field)) break;
    }
    return std::nullopt;
}

std::optional<CborItem> item_of(base::ByteView payload, Field field) noexcept {
    std::optional<CborReader> reader = find(payload, field);
    CborItem item;
    if (!reader || !reader->next(item)) return std::nullopt;
    return item;
}

}  // namespace

std::uint64_t EntryView::next_position() const noexcept {
    if (type() == EntryType::kGap) {
        if (const auto end = uint(Field::kGapTo)) return *end;
    }
    return position() + length() + kCommitWordSize;
}

std::optional<std::uint64_t> EntryView::uint(Field field) const noexcept {
    const auto item = item_of(payload(), field);
    if (!item || item->major != CborMajor::kUnsigned) return std::nullopt;
    return item->value;
}

std::optional<std::int64_t> EntryView::integer(Field field) const noexcept {
    const auto item = item_of(payload(), field);
    if (!item || item->value > INT64_MAX) return std::nullopt;
    if (item->major == CborMajor::kUnsigned) return static_cast<std::int64_t>(item->value);
    if (item->major == CborMajor::kNegative) return static_cast<std::int64_t>(~item->value);
    return std::nullopt;
}

std::optional<bool> EntryView::boolean(Field field) const noexcept {
    const auto item = item_of(payload(), field);
    if (!item || item->major != CborMajor::kSimple || item->value == kCborNull) return std::nullopt;
    return item->value == kCborTrue;
}

std::optional<std::string_view> EntryView::text(Field field) const noexcept {
    const auto item = item_of(payload(), field);
    if (!item || !item->is_string()) return std::nullopt;
    return base::text_of(item->bytes);
}

std::optional<base::ByteView> EntryView::bytes(Field field) const noexcept {
    const auto item = item_of(payload(), field);
    if (!item || item->major != CborMajor::kBytes) return std::nullopt;
    return item->bytes;
}

std::optional<EntryView::Array> EntryView::array(Field field) const noexcept {
    std::optional<CborReader> reader = find(payload(), field);
    CborItem item;
    if (!reader || !reader->next(item) || item.major != CborMajor::kArray) return std::nullopt;
    return Array{item.value, *reader};
}

}  // namespace hoopguard::record
