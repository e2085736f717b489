// Segment files: their names and their header. doc/journal_format.md defines the bytes.
#include "record/segment.hpp"

#include "base/crc32c.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hoopguard::record {
namespace {

constexpr std::size_t kFrontierCountEnd = kSegmentFrontierCountAt + 4;
static_assert(kSegmentFrontierAt + 64 * sizeof(Hash) <= kSegmentHeaderSize);

std::uint32_t header_crc(const std::uint8_t* header) noexcept {
    constexpr std::uint8_t kNoCrc[4] = {};
    const std::uint32_t crc = base::crc32c_extend(base::crc32c_extend(0, {header, kSegmentCrcAt}), kNoCrc);
    return base::crc32c_extend(crc, {header + kSegmentCrcAt + 4, kSegmentHeaderSize - kSegmentCrcAt - 4});
}

bool all_zero(base::ByteView bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool ends_with(std::string_view name, std::string_view ending) noexcept {
    return name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending;
}

}  // namespace

void encode_header(const SegmentHeader& header, std::span<std::uint8_t, kSegmentHeaderSize> out) noexcept {
    std::fill(out.begin(), out.end(), 0);
    std::uint8_t* const at = out.data();
    std::copy_n(kSegmentMagic, 8, at + kSegmentMagicAt);
    base::put_u32(at + kSegmentVersionAt, kSegmentVersion);
    std::copy(header.origin.begin(), header.origin.end(), at + kSegmentOriginAt);
    base::put_u64(at + kSegmentSystemAt, header.system);
    base::put_u64(at + kSegmentNonceAt, header.nonce);
    base::put_u64(at + kSegmentNumberAt, header.number);
    base::put_u64(at + kSegmentFirstPositionAt, header.first_position);
    base::put_u64(at + kSegmentFirstIndexAt, header.first_index());
    base::put_u64(at + kSegmentCreatedAt, header.created);
    const auto hashes = header.frontier.hashes();
    base::put_u32(at + kSegmentFrontierCountAt, static_cast<std::uint32_t>(hashes.size()));
    for (std::size_t i = 0; i < hashes.size(); ++i)
        std::copy(hashes[i].begin(), hashes[i].end(), at + kSegmentFrontierAt + i * sizeof(Hash));
    base::put_u32(at + kSegmentCrcAt, header_crc(at));
}

base::Result<SegmentHeader> decode_header(base::ByteView bytes) {
    if (bytes.size() < kSegmentHeaderSize) return base::fail("the file ends within the segment header");
    const std::uint8_t* const at = bytes.data();
    if (std::memcmp(at + kSegmentMagicAt, kSegmentMagic, 8) != 0)
        return base::fail("not a hoopguard journal segment");
    // The version decides what the sum covers, so it is judged first.
    if (base::get_u32(at + kSegmentVersionAt) != kSegmentVersion)
        return base::fail("segment format version " + std::to_string(base::get_u32(at + kSegmentVersionAt)) +
                          " is not known to this program, which reads version " + std::to_string(kSegmentVersion));
    if (base::get_u32(at + kSegmentCrcAt) != header_crc(at)) return base::fail("checksum mismatch in the header");
    SegmentHeader header;
    std::copy_n(at + kSegmentOriginAt, header.origin.size(), header.origin.begin());
    header.system = base::get_u64(at + kSegmentSystemAt);
    header.nonce = base::get_u64(at + kSegmentNonceAt);
    header.number = base::get_u64(at + kSegmentNumberAt);
    header.first_position = base::get_u64(at + kSegmentFirstPositionAt);
    header.created = base::get_u64(at + kSegmentCreatedAt);
    const std::uint64_t first_index = base::get_u64(at + kSegmentFirstIndexAt);
    const std::uint32_t count = base::get_u32(at + kSegmentFrontierCountAt);
    if (count != static_cast<std::uint32_t>(std::popcount(first_index)))
        return base::fail("the header has " + std::to_string(count) + " frontier hashes for a tree of " +
                          std::to_string(first_index) + " entries");
    std::array<Hash, 64> hashes;
    for (std::size_t i = 0; i < count; ++i)
        std::copy_n(at + kSegmentFrontierAt + i * sizeof(Hash), sizeof(Hash), hashes[i].begin());
    header.frontier = *Frontier::from(first_index, {hashes.data(), count});
    const std::size_t used = kSegmentFrontierAt + count * sizeof(Hash);
    if (!all_zero(bytes.subspan(kFrontierCountEnd, kSegmentFrontierAt - kFrontierCountEnd)) ||
        !all_zero(bytes.subspan(used, kSegmentHeaderSize - used)))
        return base::fail("reserved bytes of the header are not zero");
    return header;
}

base::Result<SegmentHeader> read_header(ByteSource& source) {
    base::Bytes bytes(kSegmentHeaderSize);
    const auto got = source.read_at(0, bytes);
    if (!got) return got.error();
    return decode_header(base::ByteView(bytes).first(*got));
}

std::string segment_name(std::uint64_t number) {
    return base::to_hex(number, 16) + ".seg";
}

std::string index_name(std::uint64_t number) {
    return base::to_hex(number, 16) + ".idx";
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) noexcept {
    if (name.size() != 20 || !ends_with(name, ".seg")) return std::nullopt;
    return base::parse_hex(name.substr(0, 16));
}

std::string origin_directory_name(const OriginId& origin) {
    return kOriginPrefix + base::to_hex(origin);
}

std::optional<OriginId> parse_origin_directory_name(std::string_view name) {
    const std::string_view prefix = kOriginPrefix;
    if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
    const auto bytes = base::from_hex(name.substr(prefix.size()));
    OriginId origin;
    if (!bytes || bytes->size() != origin.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), origin.begin());
    return origin;
}

std::string origin_line(std::uint64_t system, const OriginId& origin) {
    return "hoopguard/" + std::to_string(system) + "/" + base::to_hex(origin);
}

base::Result<std::vector<std::uint64_t>> list_segments(Directory& directory) {
    auto names = directory.list();
    if (!names) return names.error();
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : *names)
        if (const auto number = parse_segment_name(name)) numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

base::Result<std::vector<std::string>> list_origins(Directory& directory) {
    auto names = directory.list();
    if (!names) return names.error();
    std::erase_if(*names, [](const std::string& name) { return !parse_origin_directory_name(name); });
    return names;
}

}  // namespace hoopguard::record
