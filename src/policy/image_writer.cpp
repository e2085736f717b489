// Laying out an image: header, directory, rows, then the pools that the rows point into.
#include "policy/image_writer.hpp"

#include "base/crc32c.hpp"
#include "policy/image.hpp"

#include <algorithm>

namespace hoopguard::policy {

namespace {

constexpr std::uint64_t pair(std::uint64_t first, std::uint64_t second) {
    return first | second << 32;
}

constexpr std::uint64_t null_slot(FieldType type) {
    return type == FieldType::kWord || type == FieldType::kReal ? 0 : pair(kNullAt, 0);
}

struct Piece {
    SectionId id;
    std::uint32_t slots;
    std::uint32_t rows;
    std::uint64_t size;
};

void put_slots(std::uint8_t* at, const std::vector<std::uint64_t>& slots) {
    for (std::size_t i = 0; i < slots.size(); ++i) base::put_u64(at + i * kSlotSize, slots[i]);
}

}  // namespace

void SectionWriter::add_row() {
    for (auto const type : schema_of(id_)) slots_.push_back(null_slot(type));
}

std::uint64_t SectionWriter::pack_text(std::string_view value) {
    auto const [at, added] =
        writer_->known_.try_emplace(std::string(value), pair(writer_->texts_.size(), value.size()));
    if (added) writer_->texts_.append(value);
    return at->second;
}

std::uint64_t SectionWriter::pack_texts(const std::vector<std::string>& values) {
    auto const first = writer_->items_.size();
    for (auto const& value : values) writer_->items_.push_back(pack_text(value));
    return pair(first, values.size());
}

std::uint64_t SectionWriter::pack_numbers(const std::vector<std::uint32_t>& values) {
    auto const first = writer_->items_.size();
    writer_->items_.insert(writer_->items_.end(), values.begin(), values.end());
    return pair(first, values.size());
}

SectionWriter& ImageWriter::section(SectionId id) {
    sections_.push_back(SectionWriter(*this, id));
    return sections_.back();
}

base::Result<base::Bytes> ImageWriter::finish(std::uint64_t generation, std::uint64_t system_identifier,
                                              std::uint64_t created_at) const {
    if (texts_.size() >= kNullAt || items_.size() >= kNullAt)
        return base::fail("the policy is too large for an image: more than 4 GB of text");
    std::vector<Piece> pieces;
    for (auto const& section : sections_) {
        auto const width = section.width();
        pieces.push_back({section.id_, static_cast<std::uint32_t>(width),
                          static_cast<std::uint32_t>(section.slots_.size() / width),
                          section.slots_.size() * kSlotSize});
    }
    pieces.push_back({SectionId::kItems, 1, static_cast<std::uint32_t>(items_.size()), items_.size() * kSlotSize});
    pieces.push_back({SectionId::kTexts, 0, static_cast<std::uint32_t>(texts_.size()), texts_.size()});

    auto const body = kImageHeaderSize + pieces.size() * kDirectoryLineSize;
    auto total = body;
    for (auto const& piece : pieces) total += piece.size;
    base::Bytes image(total);
    auto* const begin = image.data();

    std::copy(kImageMagic.begin(), kImageMagic.end(), begin + kImageMagicAt);
    base::put_u32(begin + kImageVersionAt, kImageVersion);
    base::put_u64(begin + kImageGenerationAt, generation);
    base::put_u64(begin + kImageSystemAt, system_identifier);
    base::put_u64(begin + kImageLengthAt, total);
    base::put_u64(begin + kImageCreatedAt, created_at);
    base::put_u32(begin + kImageSectionsAt, static_cast<std::uint32_t>(pieces.size()));

    auto offset = body;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        auto* const line = begin + kImageHeaderSize + i * kDirectoryLineSize;
        base::put_u32(line, static_cast<std::uint32_t>(pieces[i].id));
        base::put_u32(line + 4, pieces[i].slots);
        base::put_u64(line + 8, offset);
        base::put_u32(line + 16, pieces[i].rows);
        if (i < sections_.size()) put_slots(begin + offset, sections_[i].slots_);
        if (pieces[i].id == SectionId::kItems) put_slots(begin + offset, items_);
        if (pieces[i].id == SectionId::kTexts) std::copy(texts_.begin(), texts_.end(), begin + offset);
        offset += pieces[i].size;
    }
    base::put_u32(begin + kImageCrcAt, base::crc32c_extend(0, image));
    return image;
}

bool same_policy(base::ByteView one, base::ByteView other) noexcept {
    return one.size() == other.size() && one.size() >= kImageHeaderSize &&
           std::equal(one.begin() + kImageHeaderSize, one.end(), other.begin() + kImageHeaderSize);
}

}  // namespace hoopguard::policy
