// Deterministic CBOR (RFC 8949 section 4.2.1), as much of it as entries use: integers, byte and text
// strings, arrays, maps, false, true, null; heads in their shortest form, definite lengths only.
// The writer neither throws nor, into a fixed buffer, allocates; what does not fit turns ok() false for good.
#pragma once

#include "base/bytes.hpp"
#include "base/text.hpp"

#include <string_view>

namespace hoopguard::record {

enum class CborMajor : std::uint8_t {
    kUnsigned = 0,
    kNegative = 1,
    kBytes = 2,
    kText = 3,
    kArray = 4,
    kMap = 5,
    kSimple = 7,
};

inline constexpr std::uint8_t kCborFalse = 20;
inline constexpr std::uint8_t kCborTrue = 21;
inline constexpr std::uint8_t kCborNull = 22;

class CborWriter {
 public:
    // Writes into the caller's buffer, which outlives the writer.
    explicit CborWriter(std::span<std::uint8_t> buffer) noexcept
        : begin_(buffer.data()), at_(begin_), end_(begin_ + buffer.size()) {}
    // Appends to `out`, which grows; trim() must be called at the end.
    explicit CborWriter(base::Bytes& out) noexcept : growing_(&out) { grow(64); }

    // False once something did not fit or no memory could be had.
    bool ok() const noexcept { return ok_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    // The first byte written; valid until the next write when the writer grows.
    std::uint8_t* data() noexcept { return begin_; }

    void unsigned_number(std::uint64_t value) noexcept { head(CborMajor::kUnsigned, value); }
    void number(std::int64_t value) noexcept {
        if (value >= 0)
            head(CborMajor::kUnsigned, static_cast<std::uint64_t>(value));
        else
            head(CborMajor::kNegative, ~static_cast<std::uint64_t>(value));
    }
    void bytes(base::ByteView value) noexcept {
        head(CborMajor::kBytes, value.size());
        raw(value);
    }
    // A text string, or a byte string of the same bytes when they are not UTF-8.
    [[gnu::hot]] void text(std::string_view value) noexcept {
        const bool is_text = base::is_ascii(value) || base::is_utf8(value);
        head(is_text ? CborMajor::kText : CborMajor::kBytes, value.size());
        raw(base::bytes_of(value));
    }
    void boolean(bool value) noexcept { head(CborMajor::kSimple, value ? kCborTrue : kCborFalse); }
    void null() noexcept { head(CborMajor::kSimple, kCborNull); }
    // The head alone; `count` elements, or pairs, must follow.
    void array(std::uint64_t count) noexcept { head(CborMajor::kArray, count); }
    void map(std::uint64_t count) noexcept { head(CborMajor::kMap, count); }

    // Bytes that are CBOR already, or room for a head that is filled in later.
    [[gnu::hot]] void raw(base::ByteView value) noexcept {
        if (!room(value.size())) return;
        if (!value.empty()) std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }

    // Ends the use of a growing writer: cuts the vector to what was written.
    void trim() noexcept;
    // What was written is of no use: a rule of the caller's was broken.
    void spoil() noexcept { ok_ = false; }

 private:
    [[gnu::hot]] void head(CborMajor major, std::uint64_t value) noexcept {
        const auto type = static_cast<std::uint8_t>(static_cast<std::uint8_t>(major) << 5);
        if (value < 24 && at_ < end_ && ok_) [[likely]]
            *at_++ = static_cast<std::uint8_t>(type | value);
        else
            long_head(type, value);
    }
    void long_head(std::uint8_t type, std::uint64_t value) noexcept;
    template <class Number>
    void put_head(int initial, Number value) noexcept {
        if (!room(1 + sizeof(Number))) return;
        *at_++ = static_cast<std::uint8_t>(initial);
        base::put_number(at_, base::swapped(value));
        at_ += sizeof(Number);
    }
    bool room(std::size_t needed) noexcept {
        return static_cast<std::size_t>(end_ - at_) >= needed ? ok_ : grow(needed);
    }
    bool grow(std::size_t needed) noexcept;

    std::uint8_t* begin_ = nullptr;
    std::uint8_t* at_ = nullptr;
    std::uint8_t* end_ = nullptr;
    base::Bytes* growing_ = nullptr;
    std::size_t start_ = 0;  // where in the growing vector begin_ is
    bool ok_ = true;
};

// One item's head, and for strings its bytes. For arrays and maps `value` counts elements or pairs.
struct CborItem {
    CborMajor major = CborMajor::kSimple;
    std::uint64_t value = 0;
    base::ByteView bytes;

    bool is_string() const noexcept { return major == CborMajor::kText || major == CborMajor::kBytes; }
    bool is_null() const noexcept { return major == CborMajor::kSimple && value == kCborNull; }
};

// Reads items one after the other and refuses whatever a CborWriter would not write.
class CborReader {
 public:
    explicit CborReader(base::ByteView bytes) noexcept : at_(bytes.data()), end_(at_ + bytes.size()) {}

    bool at_end() const noexcept { return at_ == end_; }
    const std::uint8_t* position() const noexcept { return at_; }
    // The next head; false at the end and at what is not deterministic CBOR, after which the reader is spent.
    bool next(CborItem& item) noexcept;
    // Passes over one whole item, however nested, with its elements.
    bool skip() noexcept;

 private:
    // Reads the initial byte and its value, and judges both.
    bool take_head(std::uint8_t& initial, std::uint64_t& value) noexcept;
    // Reads what an additional information of 24 to 27 announces; false when it is cut or could be shorter.
    bool take_long_value(std::uint64_t& value) noexcept;

    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

inline bool CborReader::take_long_value(std::uint64_t& value) noexcept {
    // CBOR's numbers are big-endian, unlike everything else in the journal.
    const auto left = static_cast<std::size_t>(end_ - at_);
    switch (value) {
        case 24:
            if (left < 1) return false;
            value = *at_;
            at_ += 1;
            return value > 23;
        case 25:
            if (left < 2) return false;
            value = base::swapped(base::get_u16(at_));
            at_ += 2;
            return value > 0xFF;
        case 26:
            if (left < 4) return false;
            value = base::swapped(base::get_u32(at_));
            at_ += 4;
            return value > 0xFFFF;
        case 27:
            if (left < 8) return false;
            value = base::swapped(base::get_u64(at_));
            at_ += 8;
            return value > 0xFFFFFFFF;
        default: return false;
    }
}

inline bool CborReader::take_head(std::uint8_t& initial, std::uint64_t& value) noexcept {
    if (at_ == end_) return false;
    initial = *at_++;
    value = initial & 0x1F;
    const auto major = static_cast<CborMajor>(initial >> 5);
    if (major >= CborMajor::kBytes) {
        if (major > CborMajor::kMap)
            return major == CborMajor::kSimple && value >= kCborFalse && value <= kCborNull;
        if (value >= 24 && !take_long_value(value)) return false;
        // Every byte of a string, every element of an array or a map takes a byte at least; more than that is a
        // lie about what follows.
        return value <= static_cast<std::size_t>(end_ - at_);
    }
    return value < 24 || take_long_value(value);
}

inline bool CborReader::next(CborItem& item) noexcept {
    std::uint8_t initial;
    if (!take_head(initial, item.value)) return false;
    item.major = static_cast<CborMajor>(initial >> 5);
    item.bytes = {};
    if (item.is_string()) {
        item.bytes = {at_, static_cast<std::size_t>(item.value)};
        at_ += item.value;
    }
    return true;
}

inline bool CborReader::skip() noexcept {
    std::uint8_t initial;
    std::uint64_t value;
    for (std::uint64_t pending = 1; pending > 0; --pending) {
        if (!take_head(initial, value)) return false;
        switch (static_cast<CborMajor>(initial >> 5)) {
            case CborMajor::kBytes:
            case CborMajor::kText: at_ += value; break;
            case CborMajor::kArray: pending += value; break;
            case CborMajor::kMap: pending += 2 * value; break;
            default: break;
        }
    }
    return true;
}

}  // namespace hoopguard::record
