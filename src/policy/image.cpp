// Checking an image once, so that nothing needs checking while statements are decided.
#include "policy/image.hpp"

#include "base/crc32c.hpp"

#include <string>

namespace hoopguard::policy {

namespace {

constexpr std::uint32_t kMostSlots = 1024;

struct DirectoryLine {
    SectionId id;
    std::uint32_t slots;
    std::uint64_t offset;
    std::uint32_t rows;
};

DirectoryLine line_at(const std::uint8_t* at) noexcept {
    return {static_cast<SectionId>(base::get_u32(at)), base::get_u32(at + 4), base::get_u64(at + 8),
            base::get_u32(at + 16)};
}

std::uint32_t section_count(base::ByteView bytes) noexcept {
    return base::get_u32(bytes.data() + kImageSectionsAt);
}

// Bytes that a section occupies: texts are counted in bytes, all others in rows of slots.
std::uint64_t size_of(const DirectoryLine& line) noexcept {
    if (line.id == SectionId::kTexts) return line.rows;
    return std::uint64_t{line.rows} * line.slots * kSlotSize;
}

bool text_fits(const Pools& pools, const std::uint8_t* slot) noexcept {
    std::uint64_t const offset = base::get_u32(slot);
    return offset == kNullAt || offset + base::get_u32(slot + 4) <= pools.texts.size();
}

bool list_fits(const Pools& pools, const std::uint8_t* slot, bool of_texts) noexcept {
    std::uint64_t const first = base::get_u32(slot);
    if (first == kNullAt) return true;
    std::uint64_t const count = base::get_u32(slot + 4);
    if (first + count > pools.items.size() / kSlotSize) return false;
    for (std::uint64_t i = 0; of_texts && i < count; ++i)
        if (!text_fits(pools, pools.items.data() + (first + i) * kSlotSize)) return false;
    return true;
}

bool field_fits(const Pools& pools, FieldType type, const std::uint8_t* slot) noexcept {
    switch (type) {
        case FieldType::kText: return text_fits(pools, slot);
        case FieldType::kTexts: return list_fits(pools, slot, true);
        case FieldType::kNumbers: return list_fits(pools, slot, false);
        case FieldType::kWord:
        case FieldType::kReal: break;
    }
    return true;
}

std::uint32_t crc_of(base::ByteView bytes) noexcept {
    constexpr std::uint8_t kZeros[4] = {};
    auto crc = base::crc32c_extend(0, bytes.first(kImageCrcAt));
    crc = base::crc32c_extend(crc, kZeros);
    return base::crc32c_extend(crc, bytes.subspan(kImageCrcAt + sizeof kZeros));
}

}  // namespace

base::Status Image::check_header() const {
    if (bytes_.size() < kImageHeaderSize) return base::fail("policy image is shorter than its header");
    if (base::text_of(bytes_.first(kImageMagic.size())) != kImageMagic)
        return base::fail("policy image does not begin with " + std::string(kImageMagic));
    auto const version = base::get_u32(bytes_.data() + kImageVersionAt);
    if (version > kImageVersion)
        return base::fail("policy image has format version " + std::to_string(version) +
                          ", from a later version of hoopguard");
    if (version != kImageVersion)
        return base::fail("policy image has unknown format version " + std::to_string(version));
    if (base::get_u64(bytes_.data() + kImageLengthAt) != bytes_.size())
        return base::fail("policy image has a length other than its header says");
    if (base::get_u32(bytes_.data() + kImageCrcAt) != crc_of(bytes_))
        return base::fail("policy image is damaged: its checksum does not match");
    return {};
}

base::Status Image::check_directory() {
    auto const count = section_count(bytes_);
    if (count > (bytes_.size() - kImageHeaderSize) / kDirectoryLineSize)
        return base::fail("policy image names more sections than it has room for");
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const line = line_at(bytes_.data() + kImageHeaderSize + i * kDirectoryLineSize);
        auto const name =
            "section " + std::to_string(static_cast<std::uint32_t>(line.id)) + " of the policy image";
        if (line.slots > kMostSlots) return base::fail(name + " has rows of an impossible width");
        if (line.offset > bytes_.size() || size_of(line) > bytes_.size() - line.offset)
            return base::fail(name + " lies outside of the file");
        if (line.slots < schema_of(line.id).size())
            return base::fail(name + " has fewer fields than this version of hoopguard needs");
        if (line.id == SectionId::kTexts) pools_.texts = bytes_.subspan(line.offset, size_of(line));
        if (line.id == SectionId::kItems) {
            if (line.slots != 1) return base::fail(name + " has items of a wrong size");
            pools_.items = bytes_.subspan(line.offset, size_of(line));
        }
    }
    return {};
}

base::Status Image::check_rows() const {
    for (std::uint32_t i = 0; i < section_count(bytes_); ++i) {
        auto const line = line_at(bytes_.data() + kImageHeaderSize + i * kDirectoryLineSize);
        auto const schema = schema_of(line.id);
        for (std::uint32_t row = 0; row < line.rows && !schema.empty(); ++row) {
            auto const* at = bytes_.data() + line.offset + std::size_t{row} * line.slots * kSlotSize;
            for (std::size_t field = 0; field < schema.size(); ++field)
                if (!field_fits(pools_, schema[field], at + field * kSlotSize))
                    return base::fail("row " + std::to_string(row) + " in section " +
                                      std::to_string(static_cast<std::uint32_t>(line.id)) +
                                      " of the policy image points outside of the file");
        }
    }
    return {};
}

base::Result<Image> Image::open(base::ByteView bytes) {
    Image image(bytes);
    if (auto status = image.check_header(); !status) return status.error();
    if (auto status = image.check_directory(); !status) return status.error();
    if (auto status = image.check_rows(); !status) return status.error();
    return image;
}

Section Image::section(SectionId id) const noexcept {
    if (bytes_.empty()) return {};
    for (std::uint32_t i = 0; i < section_count(bytes_); ++i) {
        auto const line = line_at(bytes_.data() + kImageHeaderSize + i * kDirectoryLineSize);
        if (line.id == id) return {pools_, bytes_.data() + line.offset, line.slots, line.rows};
    }
    return {};
}

}  // namespace hoopguard::policy
