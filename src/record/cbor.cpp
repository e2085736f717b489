// Deterministic CBOR (RFC 8949 section 4.2.1): writing, the parts off the hot path.
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

}  // namespace hoopguard::record
