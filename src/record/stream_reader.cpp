// Random access to an origin's entries, through small caches of blocks.
#include "record/stream_reader.hpp"

#include <algorithm>
#include <cerrno>

namespace hoopguard::record {

namespace {

constexpr std::size_t kSegmentsKept = 4;
constexpr std::size_t kBlocksKept = 16;

}  // namespace

base::Result<std::unique_ptr<StreamReader>> StreamReader::open(Directory& journal, const std::string& name,
                                                               std::uint64_t end) {
    auto directory = journal.enter(name);
    if (!directory) return directory.error();
    return open(std::move(*directory), end);
}

base::Result<std::unique_ptr<StreamReader>> StreamReader::open(std::unique_ptr<Directory> origin,
                                                               std::uint64_t end) {
    auto numbers = list_segments(*origin);
    if (!numbers) return numbers.error();
    for (std::size_t i = 1; i < numbers->size(); ++i)
        if ((*numbers)[i] != (*numbers)[i - 1] + 1)
            return base::fail(origin->name() + "/" + segment_name((*numbers)[i - 1] + 1) +
                              " is missing: segments before and after it are there");
    std::string const prefix = kOriginPrefix;
    std::string const name = origin->name();
    std::unique_ptr<StreamReader> reader(
        new StreamReader(std::move(origin), name.starts_with(prefix) ? name.substr(prefix.size()) : name, end));
    reader->numbers_ = std::move(*numbers);
    return reader;
}

base::Result<std::optional<StreamReader::Start>> StreamReader::start(std::size_t place) {
    if (auto const known = starts_.find(place); known != starts_.end()) return std::optional(known->second);
    auto source = directory_->open(segment_name(numbers_[place]));
    if (!source && source.error().number == ENOENT) return std::optional<Start>();
    if (!source) return source.error();
    auto const header = read_header(**source);
    if (!header)
        return base::fail(directory_->name() + "/" + segment_name(numbers_[place]) + ": " + header.error().message,
                          header.error().number);
    Start const found = {header->first_position, header->first_index()};
    starts_.emplace(place, found);
    return std::optional(found);
}

template <typename Before>
base::Result<std::size_t> StreamReader::last_place(Before before) {
    std::size_t low = 0;
    std::size_t high = numbers_.size();
    while (high - low > 1) {
        std::size_t const middle = low + (high - low) / 2;
        auto const found = start(middle);
        if (!found) return found.error();
        // Only the oldest segments are ever removed.
        if (!*found || before(**found))
            low = middle;
        else
            high = middle;
    }
    return low;
}

base::Result<std::size_t> StreamReader::place_of_position(std::uint64_t position) {
    return last_place([position](const Start& start) { return start.position <= position; });
}

base::Result<std::size_t> StreamReader::place_of_index(std::uint64_t index) {
    return last_place([index](const Start& start) { return start.index <= index; });
}

base::Result<std::shared_ptr<SegmentBlocks>> StreamReader::segment(std::size_t place) {
    auto const known =
        std::find_if(segments_.begin(), segments_.end(), [&](const auto& kept) { return kept.first == place; });
    if (known != segments_.end()) {
        segments_.splice(segments_.begin(), segments_, known);
        return segments_.front().second;
    }
    std::uint64_t end = end_;
    if (place + 1 < numbers_.size()) {
        auto const next = start(place + 1);
        if (!next) return next.error();
        if (*next) end = std::min(end, (*next)->position);
    }
    auto opened = SegmentBlocks::open(*directory_, numbers_[place], end);
    if (!opened && opened.error().number == ENOENT) return std::shared_ptr<SegmentBlocks>();
    if (!opened) return opened.error();
    segments_.emplace_front(place, std::move(*opened));
    if (segments_.size() > kSegmentsKept) segments_.pop_back();
    return segments_.front().second;
}

base::Result<std::shared_ptr<const LoadedBlock>> StreamReader::load(std::size_t place, SegmentBlocks& segment,
                                                                    const Block& block) {
    auto const known = std::find_if(blocks_.begin(), blocks_.end(), [&](const CachedBlock& kept) {
        return kept.place == place && kept.begin == block.begin();
    });
    if (known != blocks_.end()) {
        blocks_.splice(blocks_.begin(), blocks_, known);
        return blocks_.front().block;
    }
    std::uint64_t const begin = block.begin();
    auto loaded = segment.load(block);
    if (!loaded) return loaded.error();
    ++blocks_read_;
    bytes_read_ += (*loaded)->bytes.size();
    blocks_.push_front({place, begin, *loaded});
    if (blocks_.size() > kBlocksKept) blocks_.pop_back();
    return *loaded;
}

base::Result<std::optional<HeldEntry>> StreamReader::at_position(std::uint64_t position) {
    auto const place = place_of_position(position);
    if (!place) return place.error();
    if (numbers_.empty() || position >= end_) return std::optional<HeldEntry>();
    auto segment = this->segment(*place);
    if (!segment) return segment.error();
    while (*segment) {
        const Block* const block = (*segment)->block_before(position + 1);
        if (block == nullptr) break;
        auto loaded = load(*place, **segment, *block);
        if (!loaded && loaded.error().number == ESTALE) continue;
        if (!loaded) return loaded.error();
        std::size_t const within = (*loaded)->lower_bound(position);
        if (within == (*loaded)->size() || (*loaded)->entry(within).position() != position) break;
        return std::optional(HeldEntry{*loaded, (*loaded)->entry(within), (*loaded)->first_index + within});
    }
    return std::optional<HeldEntry>();
}

base::Result<std::optional<HeldEntry>> StreamReader::at_index(std::uint64_t index) {
    auto const place = place_of_index(index);
    if (!place) return place.error();
    if (numbers_.empty()) return std::optional<HeldEntry>();
    auto segment = this->segment(*place);
    if (!segment) return segment.error();
    while (*segment) {
        const Block* const block = (*segment)->block_before_index(index + 1);
        if (block == nullptr) break;
        auto loaded = load(*place, **segment, *block);
        if (!loaded && loaded.error().number == ESTALE) continue;
        if (!loaded) return loaded.error();
        std::size_t const within = index - (*loaded)->first_index;
        if (within >= (*loaded)->size()) break;
        return std::optional(HeldEntry{*loaded, (*loaded)->entry(within), index});
    }
    return std::optional<HeldEntry>();
}

}  // namespace hoopguard::record
