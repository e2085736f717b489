// Deterministic CBOR (RFC 8949 section 4.2.1): the parts off the hot path, and reading.
#include "record/cbor.hpp"

#include <algorithm>
#include <new>

namespace hoopguard::record {
namespace {

// CBOR's numbers are big-endian, unlike everything else in the journal.
void put_big_endian(std::uint8_t* at, std::uint64_t value, std::size_t width) noexcept {
    for (std::size_t i = 0; i < width; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
}

}  // namespace

void CborWriter::long_head(std::uint8_t type, std::uint64_t value) noexcept {
    const std::size_t width = value <= 0xFFFF ? 2 : value <= 0xFFFFFFFF ? 4 : 8;
    if (!room(1 + width)) return;
    *at_++ = static_cast<std::uint8_t>(type | (width == 2 ? 25 : width == 4 ? 26 : 27));
    put_big_endian(at_, value, width);
    at_ += width;
}

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

void CborWriter::trim() noexcept {
    if (growing_ != nullptr && begin_ != nullptr) growing_->resize(start_ + size());
}

bool CborReader::next(CborItem& item) noexcept {
    if (at_ == end_) return false;
    const std::uint8_t initial = *at_;
    const auto left = static_cast<std::size_t>(end_ - at_) - 1;
    std::uint64_t value = initial & 0x1F;
    std::size_t width = 0;
    if (value >= 24) {
        if (value > 27) return false;
        width = std::size_t{1} << (value - 24);
        if (width > left) return false;
        value = 0;
        for (std::size_t i = 1; i <= width; ++i) value = value << 8 | at_[i];
        const std::uint64_t shorter = width == 1 ? 23 : (std::uint64_t{1} << (4 * width)) - 1;
        if (value <= shorter) return false;
    }
    item.major = static_cast<CborMajor>(initial >> 5);
    item.value = value;
    item.bytes = {};
    const std::uint8_t* const after = at_ + 1 + width;
    switch (item.major) {
        case CborMajor::kUnsigned:
        case CborMajor::kNegative: break;
        case CborMajor::kBytes:
        case CborMajor::kText:
            if (value > left - width) return false;
            item.bytes = {after, static_cast<std::size_t>(value)};
            break;
        case CborMajor::kArray:
        case CborMajor::kMap:
            // Every element takes a byte at least; more than that is a lie about what follows.
            if (value > left - width) return false;
            break;
        case CborMajor::kSimple:
            if (width != 0 || value < kCborFalse || value > kCborNull) return false;
            break;
        default: return false;
    }
    at_ = after + item.bytes.size();
    return true;
}

bool CborReader::skip() noexcept {
    CborItem item;
    for (std::uint64_t pending = 1; pending > 0; --pending) {
        if (!next(item)) return false;
        if (item.major == CborMajor::kArray) pending += item.value;
        if (item.major == CborMajor::kMap) pending += 2 * item.value;
    }
    return true;
}

}  // namespace hoopguard::record
