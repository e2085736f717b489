// Finds entries of one origin.
#include "record/reader.hpp"

#include <algorithm>
#include <cerrno>

namespace hoopguard::record {
namespace {

constexpr std::uint64_t kMaxIndexFile = 256u << 20;
constexpr std::size_t kOpenSegments = 3;
constexpr unsigned kPatience = 20;

base::Error named(std::uint64_t segment, const std::string& what, int number = 0) {
    return base::fail(segment_name(segment) + ": " + what, number);
}

}  // namespace

base::Result<std::unique_ptr<SegmentReader>> SegmentReader::open(Directory& directory, std::uint64_t number,
                                                                 bool open_ended) {
    auto source = directory.open(segment_name(number));
    if (!source) return source.error();
    auto header = read_header(**source);
    if (!header) return named(number, header.error().message);
    if (header->number != number)
        return named(number,
                     "the header says segment " + std::to_string(header->number) + ": the file was renamed");
    std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(*source), *header));
    if (open_ended) reader->cursor_.set_patience(kPatience);
    reader->load_index(directory);
    return reader;
}

// Takes from the index file what can be true: records that follow one another without a break.
void SegmentReader::load_index(Directory& directory) {
    auto bytes = read_all(directory, index_name(header_.number), kMaxIndexFile);
    if (!bytes) return;
    index_file_ = std::move(*bytes);
    std::uint64_t offset = kSegmentHeaderSize;
    std::uint64_t index = header_.first_index();
    for (const IndexRecord& record : read_index(index_file_, header_.nonce).records) {
        const bool follows = runs_.empty() ? record.offset() == offset : record.offset() > offset;
        if (!follows || record.first_index() != index || record.entries() == 0) break;
        offset = record.offset();
        index += record.entries();
        runs_.push_back(record);
    }
}

// Leaves the cursor after the last run of the index file; false when that run is not in the segment.
bool SegmentReader::pass_last_run() {
    if (runs_.empty()) return true;
    const IndexRecord& last = runs_.back();
    cursor_.seek(last.offset(), last.first_index(), last.first_position());
    for (std::uint32_t i = 0; i < last.entries(); ++i)
        if (cursor_.next() != Step::kEntry) return false;
    return true;
}

base::Status SegmentReader::scan_rest() {
    IndexBuilder builder(header_.nonce);
    Step step;
    while ((step = cursor_.next()) == Step::kEntry)
        builder.add(cursor_.offset(), cursor_.index(), cursor_.entry(), index_scanned_);
    if (step == Step::kFault) return base::fail(cursor_.fault().text());
    builder.flush(index_scanned_);
    end_ = cursor_.next_offset();
    for (const IndexRecord& record : read_index(index_scanned_, header_.nonce).records) runs_.push_back(record);
    return {};
}

base::Result<std::span<const IndexRecord>> SegmentReader::runs() {
    if (!runs_known_) {
        if (!pass_last_run()) {
            // The index promises entries that are not there: nothing in it is to be believed.
            runs_.clear();
            cursor_.seek(kSegmentHeaderSize, header_.first_index(), header_.first_position);
        }
        if (base::Status scanned = scan_rest(); !scanned) return scanned.error();
        runs_known_ = true;
    }
    return std::span<const IndexRecord>(runs_);
}

// Reads the entries in a part of the file; false when it is not filled with sound ones.
bool SegmentReader::load(std::uint64_t offset, std::uint64_t end) {
    entries_.clear();
    loaded_offset_ = offset;
    loaded_.resize(end - offset);
    const auto got = source_->read_at(offset, loaded_);
    if (!got || *got != loaded_.size()) return false;
    for (std::size_t at = 0; at < loaded_.size();) {
        if (check_entry(base::ByteView(loaded_).subspan(at), header_.nonce) != EntryFault::kNone) return false;
        entries_.emplace_back(loaded_.data() + at);
        at += entries_.back().length();
    }
    return true;
}

// Whether the loaded entries are those of the run.
bool SegmentReader::is_run(const IndexRecord& run) const noexcept {
    if (entries_.size() != run.entries()) return false;
    std::uint64_t position = run.first_position();
    for (const EntryView& entry : entries_) {
        if (entry.position() != position) return false;
        position = entry.next_position();
    }
    return true;
}

base::Result<std::span<const EntryView>> SegmentReader::entries(std::size_t run) {
    const IndexRecord& record = runs_[run];
    const std::uint64_t end = run + 1 < runs_.size() ? runs_[run + 1].offset() : end_;
    if (load(record.offset(), end) && is_run(record)) return std::span<const EntryView>(entries_);
    // The index is wrong here, or the segment is: only walking there from the header tells.
    cursor_.seek(kSegmentHeaderSize, header_.first_index(), header_.first_position);
    std::uint64_t start = kSegmentHeaderSize;
    while (cursor_.next_index() < record.first_index() + record.entries()) {
        if (cursor_.next_index() == record.first_index()) start = cursor_.next_offset();
        const Step step = cursor_.next();
        if (step == Step::kFault) return base::fail(cursor_.fault().text());
        if (step == Step::kEnd)
            return named(header_.number, "the segment ends before entry " + std::to_string(cursor_.next_index()) +
                                             ", which its index has");
    }
    if (!load(start, cursor_.next_offset())) return named(header_.number, "changed while it was read");
    return std::span<const EntryView>(entries_);
}

base::Result<std::unique_ptr<OriginReader>> OriginReader::open(std::unique_ptr<Directory> directory) {
    std::unique_ptr<OriginReader> reader(new OriginReader(std::move(directory)));
    if (base::Status listed = reader->refresh(); !listed) return listed.error();
    return reader;
}

base::Status OriginReader::refresh() {
    auto numbers = list_segments(*directory_);
    if (!numbers) return numbers.error();
    if (numbers->empty())
        return base::fail(directory_->name() + " has no segment: it is not the directory of a journal's origin",
                          ENOENT);
    for (std::size_t i = 1; i < numbers->size(); ++i)
        if ((*numbers)[i] != (*numbers)[i - 1] + 1)
            return base::fail(
                segment_name((*numbers)[i - 1] + 1) + " is missing: segments before and after it are there",
                ENOENT);
    open_.clear();
    if (numbers_.empty() || numbers_.front() != numbers->front()) {
        starts_.clear();
        auto source = directory_->open(segment_name(numbers->front()));
        if (!source) return source.error();
        auto header = read_header(**source);
        if (!header) return named(numbers->front(), header.error().message);
        first_header_ = *header;
    }
    numbers_ = std::move(*numbers);
    starts_.resize(numbers_.size());
    return {};
}

base::Result<std::unique_ptr<SegmentReader>> OriginReader::open_segment(std::size_t place) {
    auto opened = SegmentReader::open(*directory_, numbers_[place], place + 1 == numbers_.size());
    if (!opened) return opened;
    const SegmentHeader& header = (*opened)->header();
    if (header.origin != first_header_.origin || header.nonce != first_header_.nonce)
        return named(numbers_[place], "the header is of another origin than the first segment's");
    starts_[place] = Start{header.first_index(), header.first_position};
    return opened;
}

base::Result<SegmentReader*> OriginReader::segment(std::size_t place) {
    const auto found =
        std::find_if(open_.begin(), open_.end(), [&](const Slot& slot) { return slot.place == place; });
    if (found != open_.end()) {
        std::rotate(found, found + 1, open_.end());
        return open_.back().reader.get();
    }
    auto opened = open_segment(place);
    if (!opened) return opened.error();
    if (open_.size() == kOpenSegments) open_.erase(open_.begin());
    open_.push_back({place, std::move(*opened)});
    return open_.back().reader.get();
}

base::Result<OriginReader::Start> OriginReader::start_of(std::size_t place) {
    if (!starts_[place]) {
        auto source = directory_->open(segment_name(numbers_[place]));
        if (!source) return source.error();
        auto header = read_header(**source);
        if (!header) return named(numbers_[place], header.error().message);
        starts_[place] = Start{header->first_index(), header->first_position};
    }
    return *starts_[place];
}

// The last segment that does not start after what is wanted.
base::Result<std::size_t> OriginReader::place_of(std::uint64_t wanted, std::uint64_t Start::*member) {
    std::size_t low = 0;
    std::size_t high = numbers_.size();
    while (high - low > 1) {
        const std::size_t middle = (low + high) / 2;
        const auto start = start_of(middle);
        if (!start) return start.error();
        ((*start).*member <= wanted ? low : high) = middle;
    }
    return low;
}

base::Result<std::size_t> OriginReader::place_of_index(std::uint64_t index) {
    return place_of(index, &Start::index);
}

base::Result<Located> OriginReader::find(std::size_t place, std::uint64_t wanted,
                                         std::uint64_t (IndexRecord::*first)() const, bool by_index) {
    const auto reader = segment(place);
    if (!reader) return reader.error();
    const auto runs = (*reader)->runs();
    if (!runs) return runs.error();
    const auto after =
        std::find_if(runs->begin(), runs->end(), [&](const IndexRecord& run) { return (run.*first)() > wanted; });
    if (after != runs->begin()) {
        const auto run = static_cast<std::size_t>(after - runs->begin()) - 1;
        const std::uint64_t first_index = (*runs)[run].first_index();
        const auto entries = (*reader)->entries(run);
        if (!entries) return entries.error();
        for (std::size_t i = 0; i < entries->size(); ++i) {
            const EntryView& entry = (*entries)[i];
            if ((by_index ? first_index + i : entry.position()) == wanted)
                return Located{entry, first_index + i, numbers_[place], (*reader)->offset_of(entry)};
        }
    }
    return base::fail("there is no entry " + std::string(by_index ? "" : "at position ") + std::to_string(wanted) +
                          " in " + directory_->name(),
                      ENOENT);
}

base::Result<Located> OriginReader::at_index(std::uint64_t index) {
    const auto place = place_of(index, &Start::index);
    if (!place) return place.error();
    return find(*place, index, &IndexRecord::first_index, true);
}

base::Result<Located> OriginReader::at_position(std::uint64_t position) {
    const auto place = place_of(position, &Start::position);
    if (!place) return place.error();
    return find(*place, position, &IndexRecord::first_position, false);
}

base::Result<std::uint64_t> OriginReader::size() {
    const auto reader = segment(numbers_.size() - 1);
    if (!reader) return reader.error();
    const auto runs = (*reader)->runs();
    if (!runs) return runs.error();
    if (runs->empty()) return (*reader)->header().first_index();
    return runs->back().first_index() + runs->back().entries();
}

}  // namespace hoopguard::record
