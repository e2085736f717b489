// Deterministic CBOR (RFC 8949 section 4.2.1): the parts off the hot path, and reading.
#include "record/cbor.hpp"

#include <algorithm>
#include <new>

namespace hoopguard::record {
bool CborWriter::grow(std::size_t needed) noexcept {
    if (growing_ == nullptr || !ok_) return ok_ = false;
    const std::size_t used = size();
    if (begin_ == nullptr) start_ = growing_->size();
    try {
        growing_->resize(std::max((start_ + used) * 2, start_ + used + needed));
    } catch (const std::exception&) {
        return ok_ = false;
    }
    begin_ = growing_->data() + start_;
    at_ = begin_ + used;
    end_ = growing_->data() + growing_->size();
    return true;
}

[[gnu::hot]] void CborWriter::long_head(std::uint8_t type, std::uint64_t value) noexcept {
    if (value < 24) {
        if (!room(1)) return;
        *at_++ = static_cast<std::uint8_t>(type | value);
    } else if (value <= 0xFF) {
        put_head(type | 24, static_cast<std::uint8_t>(value));
    } else if (value <= 0xFFFF) {
        put_head(type | 25, static_cast<std::uint16_t>(value));
    } else if (value <= 0xFFFFFFFF) {
        put_head(type | 26, static_cast<std::uint32_t>(value));
    } else {
        put_head(type | 27, value);
    }
}

[[gnu::hot]] void CborWriter::trim() noexcept {
    if (growing_ != nullptr && begin_ != nullptr) growing_->resize(start_ + size());
}

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

bool CborReader::next(CborItem& item) noexcept {
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

bool CborReader::skip() noexcept {
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
