// Writing segments.
#include "record/segment_writer.hpp"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>

namespace hoopguard::record {
namespace {

constexpr std::size_t kBufferSize = 1u << 20;
constexpr std::size_t kDerivedAtOnce = 4096;
constexpr std::size_t kZeroedAtOnce = 1u << 20;

}  // namespace

SegmentWriter::SegmentWriter(Files& files, const RingIdentity& identity, std::string origin_directory,
                             std::uint64_t segment_size)
    : files_(files),
      identity_(identity),
      directory_(std::move(origin_directory)),
      segment_size_(segment_size),
      zeros_(kZeroedAtOnce),
      index_builder_(identity.nonce) {
    header_.origin = identity_.origin;
    header_.system = identity_.system;
    header_.nonce = identity_.nonce;
    buffer_.reserve(kBufferSize);
}

base::Status SegmentWriter::resume(std::uint64_t position) {
    std::vector<std::uint64_t> numbers;
    int result = list_segments(files_, directory_, &numbers);
    if (result != 0) return file_error("list", directory_, result);
    std::string const tiles_path = directory_ + "/" + kTilesName;
    FileFacts facts;
    result = open_file(files_, tiles_path, O_RDWR | O_CREAT, tiles_.file);
    if (result == 0) result = files_.facts(tiles_.file.get(), &facts);
    if (result != 0) return file_error("open", tiles_path, result);

    // From the last segment; from an earlier one when tiles are missing, as far back as there are segments.
    std::vector<Opened> segments;
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
        auto opened = open_segment(*number);
        if (!opened.ok()) return opened.error();
        segments.push_back(std::move(*opened));
        if (segments.back().header.first_index() / kTileLeaves <= facts.size / sizeof(Hash)) break;
    }
    if (!segments.empty()) {
        tree_ = TileTree(segments.back().header.frontier);
        tiles_.end = tree_.tiles() * sizeof(Hash);
    }
    while (!segments.empty()) {
        if (base::Status read = read_through(segments.back(), segments.size() == 1); !read.ok())
            return read.error();
        segments.pop_back();
    }
    files_.truncate(tiles_.file.get(), tiles_.end);
    write_derived(false);
    if (position_ < position)
        return base::fail("the segments in \"" + directory_ + "\" end at position " + std::to_string(position_) +
                          ", before " + std::to_string(position));
    return {};
}

base::Result<SegmentWriter::Opened> SegmentWriter::open_segment(std::uint64_t number) {
    std::string const path = segment_path(directory_, number);
    Opened opened;
    int result = open_file(files_, path, O_RDWR, opened.file);
    FileFacts facts;
    std::uint8_t header[kSegmentHeaderSize];
    if (result == 0) result = files_.facts(opened.file.get(), &facts);
    if (result == 0) result = files_.read_at(opened.file.get(), header, sizeof header, 0);
    if (result != 0) return file_error("read", path, result);
    auto decoded = decode_header(header);
    if (!decoded.ok()) return base::fail("cannot read \"" + path + "\": " + decoded.error().message);
    opened.header = *decoded;
    opened.size = facts.size;
    return opened;
}

base::Status SegmentWriter::read_through(Opened& segment, bool last) {
    header_ = segment.header;
    if (last) begin_index();
    SegmentScan scan(files_, segment.file.get(), segment.size, header_);
    while (scan.next()) {
        if (last) index_builder_.add(scan.entry_offset(), tree_.size(), scan.entry(), index_.pending);
        tree_.append(leaf_hash(scan.entry().bytes()), tiles_.pending);
    }
    if (scan.error() != 0) return file_error("read", segment_path(directory_, header_.number), scan.error());
    end_ = scan.offset();
    zeroed_ = end_;
    allocated_ = segment.size;
    position_ = scan.position();
    file_ = std::move(segment.file);
    open_ = true;
    return {};
}

void SegmentWriter::add(base::ByteView entry) {
    std::uint64_t const offset = end_ + buffer_.size();
    buffer_.insert(buffer_.end(), entry.begin(), entry.end());
    EntryView const view(entry.data());
    index_builder_.add(offset, tree_.size(), view, index_.pending);
    tree_.append(leaf_hash(entry), tiles_.pending);
    position_ = view.next_position();
}

int SegmentWriter::write() noexcept {
    if (buffer_.empty()) return 0;
    std::uint64_t const end = end_ + buffer_.size();
    if (end > allocated_) {
        int const result = files_.allocate(file_.get(), allocated_, end - allocated_);
        if (result != 0) return result;
        allocated_ = end;
    }
    int const result = files_.write_at(file_.get(), buffer_.data(), buffer_.size(), end_);
    if (result != 0) return result;
    end_ = end;
    buffer_.clear();
    zero_ahead();
    if (index_.pending.size() + tiles_.pending.size() >= kDerivedAtOnce) write_derived(false);
    return 0;
}

// Blocks that were only allocated count as empty until something is written there, which the file system notes in
// a journal of its own: each flush would wait for that too. Where zeros were written before, as WAL has them, a
// flush writes data alone. Without it entries are as durable, only later; so nobody is told when it fails.
void SegmentWriter::zero_ahead() noexcept {
    if (end_ < zeroed_) return;
    std::uint64_t const size = std::min<std::uint64_t>(zeros_.size(), allocated_ - end_);
    if (size > 0 && files_.write_at(file_.get(), zeros_.data(), size, end_) == 0) zeroed_ = end_ + size;
}

// Under a name that nobody else gives to anything: another maker's spare may come to lie on the one that this one
// found, and what is written must be what gets the segment's name.
std::string SegmentWriter::taken_path() const {
    return spare_path(directory_) + ".taken";
}

// An earlier attempt may have taken one.
int SegmentWriter::take_spare(OpenFile& file) {
    FileFacts facts;
    int result = files_.facts(taken_path(), &facts);
    if (result != 0 && result != ENOENT) return result;
    if (result == ENOENT || facts.size != segment_size_) {
        result = prepare_spare(files_, directory_, segment_size_, "sealer");
        if (result == 0) result = files_.rename(spare_path(directory_), taken_path());
        if (result != 0) return result;
    }
    return open_file(files_, taken_path(), O_RDWR, file);
}

int SegmentWriter::advance(std::uint64_t now) noexcept try {
    SegmentHeader next = header_;
    next.number = open_ ? header_.number + 1 : 0;
    next.first_position = position_;
    next.created = now;
    next.frontier = tree_.frontier();

    OpenFile file;
    int result = take_spare(file);
    std::uint8_t header[kSegmentHeaderSize];
    encode_header(next, header);
    if (result == 0) result = files_.write_at(file.get(), header, sizeof header, 0);
    if (result == 0) result = files_.rename(taken_path(), segment_path(directory_, next.number));
    if (result != 0) return result;

    // What was allocated and not used is given back; a failure only leaves zeros that readers pass over.
    if (open_ && allocated_ > end_) files_.truncate(file_.get(), end_);
    if (open_) write_derived(true);
    file_ = std::move(file);
    header_ = next;
    end_ = kSegmentHeaderSize;
    zeroed_ = end_;
    allocated_ = segment_size_;
    open_ = true;
    begin_index();
    return 0;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

void SegmentWriter::begin_index() noexcept try {
    index_builder_ = IndexBuilder(identity_.nonce);
    index_.pending.clear();
    index_.end = 0;
    index_.file.reset();
    (void)open_file(files_, index_path(directory_, header_.number), O_RDWR | O_CREAT | O_TRUNC, index_.file);
} catch (const std::bad_alloc&) {
    index_.file.reset();
}

void SegmentWriter::append(Derived& derived) noexcept {
    if (derived.pending.empty()) return;
    // Without its file, a segment's index is done without; what fails otherwise is tried again.
    if (derived.file &&
        files_.write_at(derived.file.get(), derived.pending.data(), derived.pending.size(), derived.end) != 0)
        return;
    derived.end += derived.pending.size();
    derived.pending.clear();
}

void SegmentWriter::write_derived(bool last) noexcept try {
    if (last) index_builder_.flush(index_.pending);
    append(index_);
    append(tiles_);
} catch (const std::bad_alloc&) {
    return;
}

int prepare_spare(Files& files, const std::string& origin_directory, std::uint64_t segment_size,
                  const char* maker) noexcept try {
    std::string const path = spare_path(origin_directory);
    FileFacts facts;
    int result = files.facts(path, &facts);
    if (result == 0 && facts.size == segment_size) return 0;
    if (result != 0 && result != ENOENT) return result;
    // Under another name until it is whole, because whoever finds a spare takes it.
    std::string const making = path + "." + maker;
    OpenFile file;
    result = open_file(files, making, O_RDWR | O_CREAT | O_TRUNC, file);
    if (result != 0) return result;
    result = files.allocate(file.get(), 0, segment_size);
    if (result == 0) result = files.sync_data(file.get());
    if (result == 0) result = files.rename(making, path);
    if (result != 0) files.remove(making);
    return result;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

}  // namespace hoopguard::record
