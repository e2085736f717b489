// Segment files: their names, and the header that lets each be read without those before it.
// Encoding allocates nothing, so that recovery can use it before there is anything to allocate from.
#pragma once

#include "base/result.hpp"
#include "record/format.hpp"
#include "record/source.hpp"
#include "record/tree.hpp"

#include <array>
#include <optional>
#include <string>

namespace hoopguard::record {

using OriginId = std::array<std::uint8_t, 16>;

struct SegmentHeader {
    OriginId origin{};
    std::uint64_t system = 0;  // PostgreSQL's system identifier
    std::uint64_t nonce = 0;   // seed of every entry's CRC in this origin
    std::uint64_t number = 0;
    std::uint64_t first_position = 0;
    std::uint64_t created = 0;  // nanoseconds since 1970-01-01 UTC
    Frontier frontier;          // of all entries before this segment; its size is the first entry's leaf index

    std::uint64_t first_index() const noexcept { return frontier.size(); }
};

void encode_header(const SegmentHeader& header, std::span<std::uint8_t, kSegmentHeaderSize> out) noexcept;
// The error says what is wrong, without the file's name.
base::Result<SegmentHeader> decode_header(base::ByteView bytes);
// Reads and decodes a segment's header; the error is as of decode_header, or the source's own.
base::Result<SegmentHeader> read_header(ByteSource& source);

inline constexpr char kCheckpointsName[] = "checkpoints";
inline constexpr char kTilesName[] = "tiles";
inline constexpr char kPublicKeyName[] = "key.pub";
inline constexpr char kOriginPrefix[] = "origin-";

// "000000000000002a.seg", "000000000000002a.idx".
std::string segment_name(std::uint64_t number);
std::string index_name(std::uint64_t number);
std::optional<std::uint64_t> parse_segment_name(std::string_view name) noexcept;
// "origin-" and 32 hex digits.
std::string origin_directory_name(const OriginId& origin);
std::optional<OriginId> parse_origin_directory_name(std::string_view name);
// "hoopguard/<system identifier>/<origin>": the first line of checkpoints and the name of the key.
std::string origin_line(std::uint64_t system, const OriginId& origin);

// The numbers of the segments in an origin's directory, ascending.
base::Result<std::vector<std::uint64_t>> list_segments(Directory& directory);
// The origins in a journal directory, as the names of their directories.
base::Result<std::vector<std::string>> list_origins(Directory& directory);

}  // namespace hoopguard::record
