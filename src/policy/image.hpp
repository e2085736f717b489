// Reading a policy image: one immutable file, compiled by the broker, that every backend decides from.
//
// Layout, all little-endian: a 64-byte header (offsets below), then one 24-byte line a section (u32 id, u32 slots
// a row, u64 offset in the file, u32 rows, u32 zero), then the sections. Rows are arrays of 8-byte slots
// (sections.hpp). open() checks the CRC and every offset, once; what it gave then reads without checks and
// allocates nothing.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "policy/sections.hpp"

#include <bit>
#include <iterator>
#include <string_view>

namespace hoopguard::policy {

inline constexpr std::string_view kImageMagic = "HGPOLICY";
inline constexpr std::uint32_t kImageVersion = 1;
inline constexpr std::size_t kImageMagicAt = 0;        // 8 bytes
inline constexpr std::size_t kImageVersionAt = 8;      // u32
inline constexpr std::size_t kImageCrcAt = 12;         // u32: CRC-32C of the file with this field zero
inline constexpr std::size_t kImageGenerationAt = 16;  // u64
inline constexpr std::size_t kImageSystemAt = 24;      // u64: PostgreSQL's system identifier
inline constexpr std::size_t kImageLengthAt = 32;      // u64: of the file
inline constexpr std::size_t kImageCreatedAt = 40;     // u64: nanoseconds since 1970-01-01 UTC
inline constexpr std::size_t kImageSectionsAt = 48;    // u32
inline constexpr std::size_t kImageHeaderSize = 64;
inline constexpr std::size_t kDirectoryLineSize = 24;
inline constexpr std::size_t kSlotSize = 8;
inline constexpr std::uint32_t kNullAt = ~std::uint32_t{0};

// Where texts and lists live; part of an Image.
struct Pools {
    base::ByteView texts;
    base::ByteView items;
};

// A text as a slot names it; empty for null.
inline std::string_view text_at(const Pools& pools, const std::uint8_t* slot) noexcept {
    auto const offset = base::get_u32(slot);
    if (offset == kNullAt) return {};
    return base::text_of(pools.texts.subspan(offset, base::get_u32(slot + 4)));
}

// A list of texts in the image; iterates over string_view.
class TextList {
 public:
    class Iterator {
     public:
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        Iterator(const Pools* pools, const std::uint8_t* slot) noexcept : pools_(pools), slot_(slot) {}
        std::string_view operator*() const noexcept { return text_at(*pools_, slot_); }
        Iterator& operator++() noexcept {
            slot_ += kSlotSize;
            return *this;
        }
        Iterator operator++(int) noexcept {
            auto const before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const noexcept { return slot_ == other.slot_; }

     private:
        const Pools* pools_ = nullptr;
        const std::uint8_t* slot_ = nullptr;
    };

    TextList(const Pools& pools, const std::uint8_t* first, std::uint32_t count, bool null) noexcept
        : pools_(&pools), first_(first), count_(count), null_(null) {}
    bool is_null() const noexcept { return null_; }
    std::uint32_t size() const noexcept { return count_; }
    Iterator begin() const noexcept { return {pools_, first_}; }
    Iterator end() const noexcept { return {pools_, first_ + count_ * kSlotSize}; }

 private:
    const Pools* pools_;
    const std::uint8_t* first_;
    std::uint32_t count_;
    bool null_;
};

// One row; `field` is a member of the section's enum of fields and must have the type that is asked for.
class Row {
 public:
    Row(const Pools& pools, const std::uint8_t* at) noexcept : pools_(&pools), at_(at) {}

    template <class Field>
    std::uint64_t word(Field field) const noexcept {
        return base::get_u64(slot(field));
    }
    template <class Field>
    double real(Field field) const noexcept {
        return std::bit_cast<double>(word(field));
    }
    template <class Field>
    bool is_null(Field field) const noexcept {
        return base::get_u32(slot(field)) == kNullAt;
    }
    template <class Field>
    std::string_view text(Field field) const noexcept {
        return text_at(*pools_, slot(field));
    }
    template <class Field>
    TextList texts(Field field) const noexcept {
        auto const first = base::get_u32(slot(field));
        if (first == kNullAt) return {*pools_, pools_->items.data(), 0, true};
        return {*pools_, pools_->items.data() + first * kSlotSize, base::get_u32(slot(field) + 4), false};
    }
    // How many numbers the list holds, and one of them.
    template <class Field>
    std::uint32_t count(Field field) const noexcept {
        return is_null(field) ? 0 : base::get_u32(slot(field) + 4);
    }
    template <class Field>
    std::uint64_t number(Field field, std::uint32_t index) const noexcept {
        return base::get_u64(pools_->items.data() + (base::get_u32(slot(field)) + index) * kSlotSize);
    }

 private:
    template <class Field>
    const std::uint8_t* slot(Field field) const noexcept {
        return at_ + static_cast<std::size_t>(field) * kSlotSize;
    }
    const Pools* pools_;
    const std::uint8_t* at_;
};

// The rows of one kind of policy; none when the image has no such section.
class Section {
 public:
    Section() = default;
    Section(const Pools& pools, const std::uint8_t* first, std::uint32_t slots, std::uint32_t rows) noexcept
        : pools_(&pools), first_(first), slots_(slots), rows_(rows) {}
    std::uint32_t size() const noexcept { return rows_; }
    // `index` must be below size().
    Row operator[](std::uint32_t index) const noexcept {
        return {*pools_, first_ + std::size_t{index} * slots_ * kSlotSize};
    }

 private:
    const Pools* pools_ = nullptr;
    const std::uint8_t* first_ = nullptr;
    std::uint32_t slots_ = 0;
    std::uint32_t rows_ = 0;
};

// A checked image over bytes that the caller keeps. Rows and lists point into the Image itself: do not move it
// while they are in use.
class Image {
 public:
    Image() = default;

    // Refuses, and says why: a wrong magic, a format version from the future, a wrong length or CRC, any offset
    // outside, a section that a row of ours would not fit.
    static base::Result<Image> open(base::ByteView bytes);

    std::uint64_t generation() const noexcept { return base::get_u64(bytes_.data() + kImageGenerationAt); }
    std::uint64_t system_identifier() const noexcept { return base::get_u64(bytes_.data() + kImageSystemAt); }
    std::uint64_t created_at() const noexcept { return base::get_u64(bytes_.data() + kImageCreatedAt); }
    base::ByteView bytes() const noexcept { return bytes_; }
    Section section(SectionId id) const noexcept;

 private:
    explicit Image(base::ByteView bytes) noexcept : bytes_(bytes) {}
    base::Status check_header() const;
    base::Status check_directory();
    base::Status check_rows() const;

    base::ByteView bytes_;
    Pools pools_;
};

}  // namespace hoopguard::policy
